"""Collects the tuned hyperparameters of RL Baselines3 Zoo into the package's table, as facts in our own words and names.

    pip download --no-deps rl_zoo3==2.9.2 && unzip rl_zoo3-*.whl -d ZOO
    python benchmarks/published_configurations.py ZOO/rl_zoo3/hyperparams

Values such as `lin_3e-4` and `dict(net_arch=[64, 64])` are read by a whitelist of what may stand there; nothing is evaluated.
What the algorithm does not know is left out and named on the way.
"""

import ast
import json
import re
import sys
from pathlib import Path

import yaml

from hyperpilot.errors import InvalidConfiguration
from hyperpilot.protocols import Algorithm
from hyperpilot.registry import load

TABLE = Path(__file__).parents[1] / "src/hyperpilot/experience/published/zoo.json"
SOURCE = {
    "title": "RL Baselines3 Zoo, hyperparameters",
    "version": "rl_zoo3 2.9.2",
    "url": "https://github.com/DLR-RM/rl-baselines3-zoo/tree/master/hyperparams",
    "licence": "MIT",
}
FILES = {"ppo_lstm": "recurrent_ppo"}
LEFT_OUT = ("her",)
NOT_SEARCHED = {
    *(
        "n_timesteps",
        "policy",
        "env_wrapper",
        "frame_stack",
        "replay_buffer_class",
        "replay_buffer_kwargs",
        "model_class",
    ),
    *("optimize_memory_usage", "use_rms_prop", "use_expln", "optimizer_class", "optimizer_kwargs"),
}


def main(folder: str) -> None:
    rows, odd = [], set()
    for path in sorted(Path(folder).glob("*.yml")):
        name = FILES.get(path.stem, path.stem)
        if name in LEFT_OUT:
            continue
        known = load("algorithms", name)
        sure = confidences(path.read_text())
        for env, entry in yaml.safe_load(path.read_text()).items():
            if env == "default":
                continue
            config = {}
            for key, value in entry.items():
                if key not in NOT_SEARCHED:
                    config |= plain(key, value)
            own = {key: value for key, value in config.items() if can_say(known, key, value)}
            odd |= {(name, key, str(value)) for key, value in config.items() if key not in own}
            if own:
                steps = int(float(entry.get("n_timesteps", 0)))
                rows.append(
                    {"algorithm": name, "env": env, "confidence": sure.get(env, ""), "steps": steps, "config": own}
                )
    print(f"{len(rows)} configurations; left out: {sorted(odd)}")
    TABLE.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    TABLE.write_text(f'{{"source": {json.dumps(SOURCE)},\n"configurations": [\n{lines}\n]}}\n')


def can_say(known: Algorithm, key: str, value: object) -> bool:
    """Whether a value can be said to Stable-Baselines3 in our words."""
    try:
        known.sb3({**known.defaults, key: value})
    except InvalidConfiguration:
        return False
    return True


def confidences(text: str) -> dict[str, str]:
    """What the comment just above an environment says of its values: tuned, almost tuned, or to be tuned."""
    found = {}
    for comment, env in re.findall(r"^#\s*(.*)\n([A-Za-z][\w./-]*):", text, re.MULTILINE):
        words = comment.strip().lower().replace("tested", "tuned")
        if words in ("tuned", "almost tuned", "to be tuned"):
            found[env] = words
    return found


def plain(key: str, value: object) -> dict[str, object]:
    """A value of the zoo's under our names."""
    if key == "policy_kwargs":
        return policy(literal(str(value)))
    if key == "normalize":
        words = literal(value) if isinstance(value, str) and "=" in value else value
        norms = {"true": True, "false": False}.get(str(words).lower(), words)
        return {"normalize": bool(norms if isinstance(norms, bool) else "True" in str(norms))}
    if key in ("learning_rate", "clip_range"):
        text = str(value)
        linear = text.startswith("lin_")
        schedule = {f"{key}_schedule": "linear"} if linear else {}
        return {key: float(text.removeprefix("lin_")), **schedule}
    if key == "train_freq" and isinstance(value, list):
        return {}  # a number of episodes, which no space has
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return {key: value}
    return {key: value}


def policy(kwargs: dict[str, object]) -> dict[str, object]:
    found = {key: value for key, value in kwargs.items() if key not in NOT_SEARCHED}
    layers = found.pop("net_arch", None)
    if isinstance(layers, dict):
        found["net_arch"] = "x".join(map(str, layers["pi"]))
    elif layers is not None:
        found["net_arch"] = "x".join(map(str, layers))
    if "activation_fn" in found:
        found["activation_fn"] = str(found["activation_fn"]).lower()
    return found


def literal(text: str) -> object:
    """What a text such as `dict(net_arch=[64, 64], activation_fn=nn.ReLU)` stands for.

    Raises:
        ValueError: it holds anything but `dict(...)` with keywords, lists, numbers, booleans, strings, None and names of classes.
    """
    return _node(ast.parse(" ".join(text.split()), mode="eval").body)


def _node(node: ast.AST) -> object:
    match node:
        case ast.Constant(value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value)) if isinstance(value, int | float):
            return -value
        case ast.List(elts) | ast.Tuple(elts):
            return [_node(each) for each in elts]
        case ast.Dict(keys, values):
            return {_node(key): _node(value) for key, value in zip(keys, values, strict=True) if key is not None}
        case ast.Call(func=ast.Name("dict"), args=[], keywords=pairs):
            if all(pair.arg for pair in pairs):
                return {str(pair.arg): _node(pair.value) for pair in pairs}
        case ast.Attribute(value=ast.Name("nn"), attr=name) | ast.Name(id=name):
            return name
    raise ValueError(f"{ast.unparse(node)} is nothing that a configuration may hold")


if __name__ == "__main__":
    main(*sys.argv[1:])
