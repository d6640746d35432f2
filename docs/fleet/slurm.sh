#!/bin/bash
# Measure a plan on the nodes of a Slurm cluster, merge what they measured, judge it:
#
#   SHARDS=8 RUN=/shared/night slurm.sh --target xen --suite full
#
# submits an array of SHARDS tasks, and a job that follows them. The arguments are
# those of "xsmbench run". RUN is the run directory to make, on a file system that
# all nodes have; shards and logs are in RUN.shards. GATE may have flags of
# "xsmbench gate". sbatch's own variables choose the rest, such as SBATCH_PARTITION,
# SBATCH_ACCOUNT and SBATCH_TIMELIMIT. xsmbench must be in PATH on all nodes.
# docs/fleet.md says more.
set -euo pipefail

submit() {
  : "${SHARDS:?set it to the number of shards}" "${RUN:?set it to the run directory to make, with its whole path}"
  case $RUN in /*) ;; *) echo "RUN=$RUN: give the whole path, since jobs begin elsewhere" >&2; exit 3 ;; esac
  xsmbench plan "$@" --shards "$SHARDS" # which refuses wrong flags before anything is queued
  mkdir -p "$RUN.shards"
  # Tasks that are submitted again alone do not know how many there were.
  export XSMBENCH_SHARDS=$SHARDS RUN GATE=${GATE-}
  local array after
  array=$(sbatch --parsable --job-name=xsmbench --array="${TASKS:-1-$SHARDS}" --requeue --open-mode=append --output="$RUN.shards/%a.log" "$0" shard "$@")
  array=${array%%;*} # a federation adds its cluster
  # After any end of the shards: one that failed is named by the merge.
  after=$(sbatch --parsable --job-name=xsmbench-merge --dependency="afterany:$array" --requeue --open-mode=append --output="$RUN.shards/merge.log" "$0" merge)
  echo "shards: job array $array; merge and gate: job ${after%%;*}; logs: $RUN.shards"
}

# A task whose node died is started again on another one, and continues its shard. One
# whose boots failed, or which found that its predecessor was not dead, asks for that.
shard() {
  local code=0
  node_cache
  xsmbench run "$@" --shard auto -o "$RUN.shards/$SLURM_ARRAY_TASK_ID" || code=$?
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

merge() {
  xsmbench merge "$RUN.shards"/*/ -o "$RUN" --replace
  exec xsmbench gate "$RUN" --junit "$RUN.shards/junit.xml" --summary "$RUN.shards/summary.md" $GATE
}

case ${SLURM_JOB_ID:+${1-}} in
shard) shift; shard "$@" ;;
merge) merge ;;
*) submit "$@" ;;
esac
