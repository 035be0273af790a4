"""The CNN-GRU and its named configurations and the peers; `config` and `zoo` know them without torch."""
