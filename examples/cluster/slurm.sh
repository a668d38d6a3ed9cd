#!/bin/bash
#SBATCH --job-name=hyperpilot
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --open-mode=append

# Slurm with a shared file system: sbatch slurm.sh STUDY. Submitted again, or requeued, it goes on where it stopped.
set -euo pipefail
study=${1:?name the folder of the study, on the shared file system}
port=6379

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
address=$(srun --nodes=1 --ntasks=1 -w "$head" hostname --ip-address | awk '{print $1}'):$port

# Every process of the cluster has to know the same token.
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_TOKEN

srun --nodes=1 --ntasks=1 -w "$head" \
  ray start --head --node-ip-address="${address%:*}" --port=$port --num-cpus="$SLURM_CPUS_PER_TASK" \
  --include-dashboard=false --block &
for node in "${nodes[@]:1}"; do
  srun --nodes=1 --ntasks=1 -w "$node" \
    ray start --address="$address" --num-cpus="$SLURM_CPUS_PER_TASK" --block &
done
for _ in $(seq 60); do
  ray status --address="$address" >/dev/null 2>&1 && break
  sleep 2
done

if [ -f "$study/study.yaml" ]; then
  hyperpilot resume "$study" --executor ray --address "$address" --json
else
  hyperpilot tune ppo LunarLander-v3 --total-steps 20M --horizon 500k --study "$study" --no-forecast --json \
    --executor ray --address "$address" --workers $((SLURM_NNODES * SLURM_CPUS_PER_TASK))
fi
