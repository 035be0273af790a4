"""`twelvelead networks`: the named configurations and what each costs."""

import json

from rich.console import Console
from rich.table import Table

from twelvelead.doors.options import Json
from twelvelead.network.config import n_multiply_adds, n_parameters
from twelvelead.network.zoo import NETWORKS


def networks_command(as_json: Json = False) -> None:
    """List the named networks with their parameters and multiply-adds.

    Example: twelvelead networks --json
    """
    rows = [
        {
            "name": name,
            "parameters": n_parameters(config),
            "macs_per_10_s": n_multiply_adds(config, 10),
        }
        for name, config in NETWORKS.items()
    ]
    if as_json:
        print(json.dumps(rows))
        return
    table = Table("name", "parameters", "multiply-adds per 10 s")
    for row in rows:
        table.add_row(str(row["name"]), f"{row['parameters']:,}", f"{row['macs_per_10_s']:,}")
    Console(emoji=False).print(table)
