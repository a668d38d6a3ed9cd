"""What each hyperparameter means in Stable-Baselines3, in a line, and which numbers it cannot be."""

from __future__ import annotations

MEANINGS: dict[str, str] = {
    "learning_rate": "Step size of the optimiser.",
    "learning_rate_schedule": "Whether the step size stays, or falls in a line to zero at the end of the training.",
    "gamma": "Discount: how much a reward counts that comes one step later.",
    "gae_lambda": "Between trusting the value function (0) and the returns alone (1) when advantages are estimated.",
    "n_envs": "Environments that are stepped together.",
    "net_arch": "Widths of the hidden layers, as 64x64; `linear` for none.",
    "critic_net_arch": "Widths of the critic's hidden layers, as 256x256.",
    "activation_fn": "Nonlinearity between layers.",
    "normalize": "Whether observations and rewards are scaled by their running mean and deviation.",
    "normalize_advantage": "Whether advantages are scaled within each batch.",
    "ortho_init": "Whether layers begin orthogonal.",
    "log_std_init": "Logarithm of the standard deviation with which continuous actions begin.",
    "use_sde": "Whether exploration depends on the state (gSDE) instead of being drawn anew at every step.",
    "sde_sample_freq": "Steps after which that noise is drawn anew; -1 for once a rollout.",
    "use_sde_at_warmup": "Whether it is used before learning starts, too.",
    "n_steps": "Steps of each environment between two updates; off-policy, steps of a return before it is bootstrapped.",
    "ent_coef": "Weight of the entropy in the loss; SAC's kind may learn it: auto.",
    "target_entropy": "Entropy that a learned weight aims at; auto takes the number of actions.",
    "vf_coef": "Weight of the value function's loss.",
    "max_grad_norm": "Gradients longer than this are shortened to it.",
    "use_rms_prop": "Whether RMSProp replaces Adam.",
    "rms_prop_eps": "Keeps RMSProp from dividing by zero.",
    "batch_size": "Samples of one gradient step.",
    "clip_range": "How far the probability of an action may move in one update.",
    "clip_range_schedule": "Whether that stays, or falls in a line to zero.",
    "clip_range_vf": "The same for the value function; none leaves it free.",
    "target_kl": "Updates end early, or shrink, where the policy has moved further than this.",
    "n_epochs": "Passes over the samples of an update.",
    "tau": "Share of the network that its slow copy takes over at each update; 1 copies it.",
    "target_update_interval": "Steps between two updates of the slow copy.",
    "buffer_size": "Transitions that are remembered.",
    "learning_starts": "Steps that are only collected before the first update.",
    "gradient_steps": "Gradient steps of an update; -1 for as many as steps were collected.",
    "train_freq": "Steps between two updates.",
    "n_critics": "Value networks, of which the lowest counts.",
    "noise_type": "Noise that is added to continuous actions.",
    "noise_std": "Standard deviation of that noise.",
    "policy_delay": "Updates of the critics for each of the policy.",
    "batch_norm_momentum": "How fast batch normalisation follows its batches.",
    "renorm_warmup_steps": "Updates before batch normalisation is corrected by running statistics.",
    "exploration_initial_eps": "Share of random actions at the beginning.",
    "exploration_final_eps": "Share of random actions at the end of the decrease.",
    "exploration_fraction": "Share of the training over which it decreases.",
    "n_quantiles": "Quantiles by which the distribution of returns is described.",
    "top_quantiles_to_drop_per_net": "Highest quantiles that are left out, against overestimation.",
    "target_policy_noise": "Noise on the target's actions, which smooths the critic.",
    "target_noise_clip": "Bound of that noise.",
    "lstm_hidden_size": "Width of the recurrent layers.",
    "n_lstm_layers": "Recurrent layers.",
    "shared_lstm": "Whether actor and critic share them.",
    "enable_critic_lstm": "Whether the critic has its own.",
    "delta_std": "Size of the random moves that are tried.",
    "delta_std_schedule": "Whether that stays, or falls in a line to zero.",
    "n_delta": "Random directions of an update.",
    "n_top": "Best directions that count; none for all.",
    "zero_policy": "Whether the policy begins at zero.",
    "alive_bonus_offset": "What is taken off each reward for staying alive.",
    "n_eval_episodes": "Episodes by which a direction is judged.",
    "n_critic_updates": "Updates of the value function for each of the policy.",
    "cg_max_steps": "Steps of the conjugate gradient.",
    "cg_damping": "Regularises the conjugate gradient.",
    "line_search_shrinking_factor": "By how much a step that is too long is shortened.",
    "line_search_max_iter": "How often it may be shortened.",
    "sub_sampling_factor": "Every so manieth sample is used for the curvature.",
}

_SHARES = ("gamma", "gae_lambda", "tau", "exploration_initial_eps", "exploration_final_eps", "exploration_fraction")
_FREE = ("log_std_init", "target_entropy", "alive_bonus_offset", "sde_sample_freq", "gradient_steps")
_FROM_ZERO = ("ent_coef", "vf_coef", "noise_std", "learning_starts", "target_policy_noise", "target_noise_clip")
_ZERO_TOO = ("top_quantiles_to_drop_per_net", "renorm_warmup_steps", "cg_damping", "max_grad_norm")


def meaning(name: str) -> str:
    """The line; empty for a name that is not known."""
    return MEANINGS.get(name, "")


def refused(name: str, value: float) -> str:
    """Why a number cannot be; empty where it can."""
    if name in _SHARES:
        return "" if 0 <= value <= 1 else "between 0 and 1"
    if name in _FREE:
        return "" if name not in _FREE[-2:] or value == -1 or value >= 1 else "-1, or 1 and above"
    if name in _FROM_ZERO or name in _ZERO_TOO:
        return "" if value >= 0 else "0 or above"
    return "" if value > 0 else "above 0"
