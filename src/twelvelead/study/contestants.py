"""The networks of the study, each with the recipe that suits it: ours, its ablations, and the peers as published."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Literal

from torch import nn

from twelvelead.learning.fit import TAUGHT_LONGER, Settings
from twelvelead.learning.samples import Augmentation
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.config import Config
from twelvelead.network.peers import Cpsc2018Winner, InceptionTime, ResNet1dWang, XResNet1d
from twelvelead.network.zoo import NETWORKS, NetworkError

Kind = Literal["ours", "ablation", "peer"]
PLAIN: Final = Augmentation(stretch=0, lead_dropout=0, shortened=0)
ONE_CYCLE: Final = Settings(augmentation=PLAIN, mixed_precision=True)  # a third of the time, the same result
ADAM: Final = Settings(schedule="constant", learning_rate=1e-3, weight_decay=0, augmentation=PLAIN)


@dataclass(frozen=True)
class Contestant:
    """A network and how it is trained.

    definition: what the run's fingerprint is made of besides the settings. teachers: networks of the study, trained
    first on the same recordings, whose probabilities it learns from besides the truth.
    """

    name: str
    kind: Kind
    build: Callable[[], nn.Module]
    settings: Settings
    definition: dict[str, Any] = field(default_factory=dict)
    teachers: tuple[str, ...] = ()

    def within(self, *, epochs: int, patience: int, seed: int) -> Settings:
        """Its settings on a budget; `TAUGHT_LONGER` times the epochs for one with teachers."""
        longest = epochs * TAUGHT_LONGER if self.teachers else epochs
        return replace(self.settings, epochs=longest, patience=patience, seed=seed)

    @property
    def n_parameters(self) -> int:
        """Trainable parameters."""
        return sum(parameter.numel() for parameter in self.build().parameters() if parameter.requires_grad)


def definition_of(config: Config, teachers: Sequence[str] = ()) -> dict[str, Any]:
    """What a run's fingerprint is made of besides its settings: the network, and whom it learns from."""
    return config.as_json() | ({"teachers": list(teachers)} if teachers else {})


def _ours(name: str, config: Config, kind: Kind = "ours", teachers: tuple[str, ...] = ()) -> Contestant:
    return Contestant(name, kind, partial(CnnGru, config), Settings(), definition_of(config, teachers), teachers)


def _peer(name: str, build: Callable[[], nn.Module], settings: Settings) -> Contestant:
    return Contestant(name, "peer", build, settings, {"peer": name})


BEST: Final = "single"
CONTESTANTS: Final = (
    *(_ours(name, config) for name, config in NETWORKS.items()),
    _peer("cpsc2018-winner", Cpsc2018Winner, ADAM),
    _peer("resnet1d-wang", ResNet1dWang, ONE_CYCLE),
    _peer("xresnet1d101", partial(XResNet1d, 101), ONE_CYCLE),
    _peer("inception-time", InceptionTime, ONE_CYCLE),
    _ours(f"{BEST}-taught", NETWORKS[BEST], teachers=("resnet1d-wang", "xresnet1d101", BEST)),
    _ours("without-gru", replace(NETWORKS[BEST], n_directions=0), "ablation"),
    _ours("without-attention", replace(NETWORKS[BEST], attention=False), "ablation"),
    _ours("gru-one-direction", replace(NETWORKS[BEST], n_directions=1), "ablation"),
    _ours("plain-convolutions", replace(NETWORKS[BEST], separable=False), "ablation"),
    _ours("elus", replace(NETWORKS[BEST], activation="elu"), "ablation"),
)


def contestants(names: Sequence[str]) -> list[Contestant]:
    """Those of the names given; raises NetworkError, with the names there are, on another and where none is given."""
    by_name = {contestant.name: contestant for contestant in CONTESTANTS}
    for name in names or [""]:
        if name not in by_name:
            raise NetworkError(f"network {name!r}: the study has {', '.join(by_name)}")
    return [by_name[name] for name in dict.fromkeys(names)]
