#!/bin/bash
# Measure a plan on the nodes of a Slurm cluster, merge what they measured, judge it:
#
#   SHARDS=8 RUN=/shared/night slurm.sh --target xen --suite full
#   SHARDS=8 RUN=/shared/branch slurm.sh --target xen --source /shared/xen --revs A..B
#
# submits an array of SHARDS tasks, and a job that follows them. The arguments are
# those of "xsmbench plan": a run's, or with --revs a series'. RUN is the directory to
# make, on a file system that all nodes have; shards and logs are in RUN.shards. GATE may
# have flags of "xsmbench gate", STORE the history's file that a series is added to.
# sbatch's own variables choose the rest, such as SBATCH_PARTITION, SBATCH_ACCOUNT and
# SBATCH_TIMELIMIT. xsmbench must be in PATH on all nodes. docs/fleet.md says more.
set -euo pipefail

# The command whose arguments they are.
command_of() {
  local arg
  for arg; do
    case $arg in --revs | --revs=*) echo series; return ;; esac
  done
  echo run
}

submit() {
  : "${SHARDS:?set it to the number of shards}" "${RUN:?set it to the run directory to make, with its whole path}"
  case $RUN in /*) ;; *) echo "RUN=$RUN: give the whole path, since jobs begin elsewhere" >&2; exit 3 ;; esac
  xsmbench plan "$@" --shards "$SHARDS" # which refuses wrong flags before anything is queued
  mkdir -p "$RUN.shards"
  # Tasks that are submitted again alone do not know how many there were.
  export XSMBENCH_SHARDS=$SHARDS RUN GATE=${GATE-} STORE=${STORE-}
  local array after
  array=$(sbatch --parsable --job-name=xsmbench --array="${TASKS:-1-$SHARDS}" --requeue --open-mode=append --output="$RUN.shards/%a.log" "$0" shard "$@")
  array=${array%%;*} # a federation adds its cluster
  # After any end of the shards: one that failed is named by the merge.
  after=$(sbatch --parsable --job-name=xsmbench-merge --dependency="afterany:$array" --requeue --open-mode=append --output="$RUN.shards/merge.log" "$0" merge "$@")
  echo "shards: job array $array; merge and gate: job ${after%%;*}; logs: $RUN.shards"
}

# A task whose node died is started again on another one, and continues its shard. One
# whose boots failed, or which found that its predecessor was not dead, asks for that.
shard() {
  local code=0
  node_cache
  xsmbench "$(command_of "$@")" "$@" --shard auto -o "$RUN.shards/$SLURM_ARRAY_TASK_ID" || code=$?
  if [ "$code" = 3 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ]; then
    # The number of the job alone may be that of the whole array.
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60 # in which it is ended
  fi
  exit "$code"
}

# The store's locks need a local file system, which homes are often not.
node_cache() {
  if [ -z "${XDG_CACHE_HOME-}" ]; then
    export XDG_CACHE_HOME=/var/tmp/xsmbench-$(id -u)
    mkdir -p -m 700 "$XDG_CACHE_HOME"
    [ -O "$XDG_CACHE_HOME" ] || { echo "$XDG_CACHE_HOME is another user's: set XDG_CACHE_HOME to a local folder of yours" >&2; exit 3; }
  fi
}

# Of a series the gate judges the last revision against the first; its table says what
# each one changed.
merge() {
  xsmbench merge "$RUN.shards"/*/ -o "$RUN" --replace
  if [ "$(command_of "$@")" = series ]; then
    node_cache
    xsmbench series "$@" -o "$RUN" ${STORE:+--store "$STORE"}
  fi
  exec xsmbench gate "$RUN" --junit "$RUN.shards/junit.xml" --summary "$RUN.shards/summary.md" $GATE
}

case ${SLURM_JOB_ID:+${1-}} in
shard) shift; shard "$@" ;;
merge) shift; merge "$@" ;;
*) submit "$@" ;;
esac
