#!/usr/bin/env bash
# Makes the release of the current commit twice, in clones at different places,
# and compares; installs it in a root directory that has nothing else, and tries
# it there; measures with it in an empty directory, without any clone. Needs
# root, for chroot.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
begun=$SECONDS
say() { printf '%4d s  %s\n' $((SECONDS - begun)) "$*"; }
fail() { echo "try.sh: $*" >&2; exit 1; }
# wants TEXT COMMAND...: the command succeeds and prints the text.
wants() {
  local text=$1 out; shift
  out=$("$@" 2>&1) || fail "$*: exit code $?: $out"
  case $out in *"$text"*) ;; *) fail "$* does not say \"$text\": $out" ;; esac
}

commit=$(git rev-parse HEAD)
for n in one two/deeper; do
  git clone -q . "$work/$n"
  make -s -C "$work/$n" dist DIST="$work/made/$n" >"$work/log" 2>&1 || { cat "$work/log"; fail "make dist"; }
  say "made in $n"
done
diff -r "$work/made/one" "$work/made/two/deeper" || fail "the release is not reproducible"
cp -r "$work/one/docs/testdata/timed" "$work/run"
rm -rf "$work/one" "$work/two" # what is installed must need no clone
cd "$work/made/one"
sha256sum --quiet -c SHA256SUMS

root=$work/root chroot=$(PATH=$PATH:/usr/sbin command -v chroot)
mkdir -p "$root"/{var/lib/dpkg/updates,var/lib/dpkg/info,tmp,home}
: >"$root/var/lib/dpkg/status"
dpkg --root="$root" --log=/dev/null -i ./*.deb >/dev/null
test -z "$(dpkg --root="$root" -V xsmbench)" || fail "dpkg finds other files than it installed"
cp -r "$work/run" "$root/home/run"
inside() { env -i HOME=/home PATH=/usr/bin "$chroot" "$root" "$@"; }
wants "(commit $commit, go" inside xsmbench --version
wants "Lmbench/lat_proc/op=fork" inside xsmbench list benchmarks
wants "against native" inside xsmbench compare /home/run
wants "/home/out/index.html" inside xsmbench report /home/run -o /home/out
test -s "$root/home/out/index.html" || fail "there is no page"
wants "hooks" inside xsmbench __complete hoo
if inside xsmbench doctor >"$work/doctor" 2>&1; then fail "doctor misses nothing in an empty root"; fi
grep -q 'MISSING *Go tool' "$work/doctor" || fail "doctor does not miss Go: $(cat "$work/doctor")"
say "tried in an empty root"

bash -c '. "$1"; complete -p xsmbench >/dev/null' - "$root/usr/share/bash-completion/completions/xsmbench" || fail "bash does not take its completions"
if command -v man >/dev/null; then
  for page in "$root"/usr/share/man/man1/*; do
    out=$(LC_ALL=C.UTF-8 man --warnings -l "$page" 2>&1 >/dev/null) && [ -z "$out" ] || fail "$page: $out"
  done
fi

mkdir "$work/empty" "$work/home"
cd "$work/empty"
env -i HOME="$work/home" XDG_CACHE_HOME="$work/cache" XSMBENCH_MACHINE_LOCK="$work/lock" PATH="$root/usr/bin:$(dirname "$(command -v go)"):/usr/bin:/bin" \
  GOCACHE="$(go env GOCACHE)" GOMODCACHE="$(go env GOMODCACHE)" GOPROXY="$(go env GOPROXY)" GOSUMDB="$(go env GOSUMDB)" \
  xsmbench run --rounds 1 --layouts 1 --aa=false --enough 20 --repetitions 2 --bench 'lat_syscall/op=null$' -o run >"$work/log" 2>&1 || { cat "$work/log"; fail "run"; }
grep -q '^BenchmarkLmbench/lat_syscall/op=null' run/results/flask-amd64-domU.txt || fail "the run has no sample"
say "measured with it in an empty directory"

mkdir "$work/local"
tar -xzf "$work/made/one/"*.tar.gz -C "$work/local" --strip-components=1
cmp "$work/local/bin/xsmbench" "$root/usr/bin/xsmbench"
wants "(commit $commit, go" env -i "$work/local/bin/xsmbench" --version

rm -rf "$root/home" "$root/tmp"
dpkg --root="$root" --log=/dev/null -P xsmbench >/dev/null
left=$(find "$root" -path "$root/var/lib/dpkg" -prune -o -type f -print)
test -z "$left" || fail "left after removal: $left"
say "removed; nothing is left"
