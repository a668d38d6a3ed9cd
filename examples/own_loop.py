"""Ask and tell: your own loop, any objective."""

import hyperpilot as hp

optimizer = hp.Optimizer({"learning_rate": "1e-5..1e-1:log", "activation_fn": "tanh|relu"}, budget=30, seed=0)
while jobs := optimizer.ask(2):
    for job in jobs:
        penalty = 0.0 if job.config["activation_fn"] == "relu" else 0.5
        optimizer.tell(job.report(-abs(float(job.config["learning_rate"]) - 1e-3) - penalty))
print(optimizer.best)
