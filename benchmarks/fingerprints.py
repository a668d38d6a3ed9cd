"""What the environments are like that configurations were published for, of those that can be made here.

python benchmarks/fingerprints.py
"""

import json
from pathlib import Path

from hyperpilot.environments import parse_spec, probe
from hyperpilot.errors import HyperPilotError
from hyperpilot.experience.published import published
from hyperpilot.registry import available

TABLE = Path(__file__).parents[1] / "src/hyperpilot/experience/published/fingerprints.json"


def main() -> None:
    found, missing = {}, []
    for env in sorted({each.env for name in available("algorithms") for each in published(name)}):
        try:
            found[env] = probe(parse_spec(env), 3_000, 30.0).as_json()
        except HyperPilotError:
            missing.append(env)
    lines = ",\n".join(f"{json.dumps(env)}: {json.dumps(seen)}" for env, seen in found.items())
    TABLE.write_text(f"{{\n{lines}\n}}\n")
    print(f"{len(found)} environments; not here: {', '.join(missing)}")


if __name__ == "__main__":
    main()
