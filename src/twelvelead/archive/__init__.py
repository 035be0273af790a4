"""A whole archive: recordings are listed, cut into shards, classified in processes that may die, written as Parquet."""
