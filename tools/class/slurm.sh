#!/bin/sh
#SBATCH --job-name=evlings
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
# slurm.sh - a share of a class on a machine of a cluster, from this folder, which all of them see:
#
#   make grade-class N=4 ONE=exercises/04-await                 # builds it, once
#   FROM=in.zip OUT=/shared/out N=4 SEED=7 sbatch --array=1-8 tools/class/slurm.sh
#   make merge FROM='/shared/out-?' OUT=/shared/all     # when all have ended
exec make -s grade-class FROM="$FROM" OUT="$OUT-$SLURM_ARRAY_TASK_ID" N="$N" SEED="${SEED:-}" \
    SHARE="$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" JOBS="${SLURM_CPUS_PER_TASK:-2}"
