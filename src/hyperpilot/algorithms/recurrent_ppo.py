"""Proximal policy optimization with an LSTM, for what a single observation does not tell.

Of PPO's ranges those that weigh least are left out, to make room for the LSTM. Rollouts are shorter: gradients run
back through whole sequences.

References:
    Raffin et al. Stable-Baselines3 Contrib, RecurrentPPO. https://github.com/Stable-Baselines-Team/stable-baselines3-contrib
    Ni, Eysenbach, Salakhutdinov. Recurrent model-free RL can be a strong baseline for many POMDPs. ICML 2022.
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _on_policy as on_policy
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm
from hyperpilot.space.values import Constraint

DEFAULTS = {
    **on_policy.DEFAULTS,
    **on_policy.CLIPPING_DEFAULTS,
    "n_steps": 128,
    "batch_size": 128,
    "lstm_hidden_size": 256,
    "n_lstm_layers": 1,
    "shared_lstm": False,
    "enable_critic_lstm": True,
}

plugin = Algorithm(
    name="recurrent_ppo",
    title="Recurrent Proximal Policy Optimization",
    sb3_class="sb3_contrib.RecurrentPPO",
    actions=on_policy.ACTIONS,
    needs_continuous=on_policy.NEEDS_CONTINUOUS,
    space={
        **{name: text for name, text in on_policy.SPACE.items() if name != "activation_fn"},
        **on_policy.CLIPPING_SPACE,
        "ent_coef": on_policy.LOSS_SPACE["ent_coef"],
        "n_steps": "16..1024:pow2",
        "batch_size": "32..512:pow2",
        "lstm_hidden_size": "16..256:pow2",
        "enable_critic_lstm": "true|false",
    },
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS, policy="MlpLstmPolicy"),
    constraints=(
        *on_policy.MINIBATCH_CONSTRAINTS,
        Constraint(
            "shared_lstm and enable_critic_lstm exclude each other",
            lambda config: not (config["shared_lstm"] and config["enable_critic_lstm"]),
        ),
    ),
)
