#!/usr/bin/env bash
# start_slurm.sh - a private, loopback-only, one-node Slurm for tests (Debian 12, no systemd, no cgroups).
#   start_slurm.sh start [--accounting]     start (installs Debian packages if missing)
#   start_slurm.sh stop                     stop exactly the daemons this script started (by pid file)
#   start_slurm.sh status
# Environment: SLURM_TEST_HOME (default: ./run beside this script), SLURM_TEST_PORT (default 26817),
#              SLURM_TEST_CPUS (8 fake), SLURM_TEST_MEM (16000 MB fake), SLURM_TEST_GPUS (2 fake)
# After start:  . $SLURM_TEST_HOME/env.sh      (sets SLURM_CONF; then sinfo/sbatch/squeue/snakemake work)
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
R=${SLURM_TEST_HOME:-$HERE/run}
PORT=${SLURM_TEST_PORT:-26817}
CPUS=${SLURM_TEST_CPUS:-8}; MEM=${SLURM_TEST_MEM:-16000}; GPUS=${SLURM_TEST_GPUS:-2}
NODE=$(hostname -s)
ACCT=0; for a in "$@"; do [ "$a" = --accounting ] && ACCT=1; done
# alive PIDFILE: the process exists and is no zombie (a container's PID 1 may never reap)
alive() { [ -s "$1" ] && [ -r "/proc/$(cat "$1")/stat" ] && ! grep -q ') Z ' "/proc/$(cat "$1")/stat"; }

wait_for() { # wait_for SECONDS CMD...
  local end=$(( SECONDS + $1 )); shift
  while [ $SECONDS -lt $end ]; do timeout 5 "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
  echo "start_slurm: timed out waiting for: $*" >&2; return 1
}

do_stop() {
  for d in slurmd slurmctld slurmdbd mariadb munged; do
    if alive "$R/$d.pid"; then kill "$(cat "$R/$d.pid")"; fi
  done
  for d in slurmd slurmctld slurmdbd mariadb munged; do
    for _ in $(seq 100); do alive "$R/$d.pid" || break; sleep 0.1; done
    rm -f "$R/$d.pid"
  done
  for f in slurm.conf gres.conf cgroup.conf; do
    [ "$(readlink "/etc/slurm/$f" 2>/dev/null)" = "$R/$f" ] && rm -f "/etc/slurm/$f"
  done
  return 0
}

do_start() {
  local pk="slurmctld slurmd slurm-client munge"
  [ $ACCT = 1 ] && pk="$pk slurmdbd mariadb-server"
  local miss=""; for p in $pk; do dpkg -s "$p" >/dev/null 2>&1 || miss="$miss $p"; done
  if [ -n "$miss" ]; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $miss
    } >/dev/null || { echo "start_slurm: cannot install$miss" >&2; exit 3; }
  fi
  alive "$R/slurmctld.pid" && { echo "already running; . $R/env.sh"; return 0; }
  mkdir -p "$R"/{state,spool,log,dev}; chmod 755 "$R"

  # --- munge: private key and socket (never the system one)
  [ -s "$R/munge.key" ] || head -c 1024 /dev/urandom > "$R/munge.key"
  chmod 600 "$R/munge.key"
  munged --force --num-threads=2 --key-file="$R/munge.key" --socket="$R/munge.socket" \
         --pid-file="$R/munged.pid" --log-file="$R/log/munged.log" --seed-file="$R/munge.seed"

  # --- optional accounting (real sacct): mariadb on a unix socket + slurmdbd on loopback
  local acct="AccountingStorageType=accounting_storage/none"
  if [ $ACCT = 1 ]; then
    [ -d "$R/mysql/mysql" ] || mariadb-install-db --user=root --datadir="$R/mysql" --skip-test-db \
        --auth-root-authentication-method=normal >"$R/log/mariadb-install.log" 2>&1
    setsid mariadbd --no-defaults --user=root --datadir="$R/mysql" --socket="$R/mysql.sock" --skip-networking \
        --pid-file="$R/mariadb.pid" --innodb-buffer-pool-size=64M --innodb-log-file-size=32M \
        --innodb-lock-wait-timeout=900 >"$R/log/mariadb.log" 2>&1 </dev/null &
    wait_for 30 mariadb-admin --no-defaults -uroot --socket="$R/mysql.sock" ping
    cat > "$R/slurmdbd.conf" <<C
AuthType=auth/munge
AuthInfo=socket=$R/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$((PORT+2))
CommunicationParameters=NoInAddrAny
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct_db
LogFile=$R/log/slurmdbd.log
PidFile=$R/slurmdbd.pid
DebugLevel=info
C
    chmod 600 "$R/slurmdbd.conf"
    acct="AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$((PORT+2))
AccountingStoragePass=$R/munge.socket
AccountingStorageTRES=gres/gpu"
  fi

  # --- fake GPUs: char devices that are /dev/null (1,3) get CUDA_VISIBLE_DEVICES set; plain files also schedule, without it
  : > "$R/gres.conf"
  local gres="" grestypes=""
  if [ "$GPUS" -gt 0 ]; then
    for i in $(seq 0 $((GPUS-1))); do
      [ -e "$R/dev/fakegpu$i" ] || mknod "$R/dev/fakegpu$i" c 1 3 2>/dev/null || : > "$R/dev/fakegpu$i"
    done
    echo "NodeName=$NODE Name=gpu Type=fake File=$R/dev/fakegpu[0-$((GPUS-1))]" > "$R/gres.conf"
    gres="Gres=gpu:fake:$GPUS"; grestypes="GresTypes=gpu"
  fi
  printf 'CgroupAutomount=no\nConstrainCores=no\nConstrainRAMSpace=no\nConstrainDevices=no\n' > "$R/cgroup.conf"

  cat > "$R/slurm.conf" <<C
ClusterName=snaketest
SlurmctldHost=$NODE(127.0.0.1)
SlurmctldPort=$PORT
SlurmdPort=$((PORT+1))
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$R/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$R/state
SlurmdSpoolDir=$R/spool
SlurmctldPidFile=$R/slurmctld.pid
SlurmdPidFile=$R/slurmd.pid
SlurmctldLogFile=$R/log/slurmctld.log
SlurmdLogFile=$R/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MinJobAge=600
KillWait=2
InactiveLimit=0
SlurmctldTimeout=30
SlurmdTimeout=30
DefMemPerCPU=500
$acct
$grestypes
NodeName=$NODE NodeAddr=127.0.0.1 CPUs=$CPUS Boards=1 SocketsPerBoard=1 CoresPerSocket=$CPUS ThreadsPerCore=1 RealMemory=$MEM $gres State=UNKNOWN
PartitionName=cpu Nodes=$NODE Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=$NODE Default=NO  MaxTime=INFINITE State=UP
C
  # snakemake-executor-plugin-slurm-jobstep strips every SLURM_* variable (SLURM_CONF too) before its inner srun,
  # so the configuration must be where the binaries look by default
  mkdir -p /etc/slurm
  for f in slurm.conf gres.conf cgroup.conf; do
    if [ -e "/etc/slurm/$f" ] && [ ! -L "/etc/slurm/$f" ]; then
      echo "start_slurm: /etc/slurm/$f exists and is not ours: refusing" >&2; exit 1
    fi
    ln -sfn "$R/$f" "/etc/slurm/$f"
  done
  echo "export SLURM_CONF=$R/slurm.conf" > "$R/env.sh"
  export SLURM_CONF="$R/slurm.conf"
  if [ $ACCT = 1 ]; then
    # MYSQL_UNIX_PORT is read by libmariadb as default socket
    MYSQL_UNIX_PORT="$R/mysql.sock" slurmdbd
    wait_for 60 sacctmgr -n show cluster
    # before slurmctld starts, so that it knows the account from the first job on
    sacctmgr -i add cluster snaketest >/dev/null 2>&1 || true
    sacctmgr -i add account test Cluster=snaketest >/dev/null 2>&1 || true
    sacctmgr -i add user root Account=test DefaultAccount=test >/dev/null 2>&1 || true
  fi
  slurmctld
  slurmd
  wait_for 30 sh -c 'sinfo -h -o %T | grep -qE "idle|mixed|allocated"'
  sinfo -N -o '%N %P %T %c %m %G'
  echo "ready:  . $R/env.sh"
}

case "${1:-start}" in
  start) do_start;;
  stop) do_stop;;
  status) for d in munged mariadb slurmdbd slurmctld slurmd; do alive "$R/$d.pid" && echo "$d up" || echo "$d down"; done;;
  *) echo "usage: $0 start [--accounting] | stop | status" >&2; exit 2;;
esac
