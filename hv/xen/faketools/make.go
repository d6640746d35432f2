package faketools

// Make builds trees of Xen: it takes each step down in the file "made", runs
// what the test has for the step, a file of the step's name, and makes a product
// that shows of which source and configuration it is; what the file "xen-syms"
// has stands before that in the product's symbols. Called as tools do, it
// answers with a version. The compatibility headers it takes down in "headers".
const Make = `
case "$1" in --version) echo "GNU Make (fake)"; exit;; esac
cd "$2" || exit 2
case "$*" in *" xsmbench-headers")
	echo headers >>"$control/headers"; mkdir -p include/compat && echo "/* compat */" >include/compat/xen.h
	exit;;
esac
if [ "$3" = olddefconfig ]; then step=configure; config=${4#KCONFIG_CONFIG=}; else step=compile; fi
echo "$step $(cat common/a.c)" >>"$control/made"
if [ -e "$control/$step" ]; then . "$control/$step"; fi
case $step in
configure) echo "CONFIG_DEFAULT=y" >>"$config";;
compile)
	cat common/*.c .config >xen && cp xen xen-syms
	if [ -e "$control/xen-syms" ]; then cat "$control/xen-syms" xen >xen-syms; fi;;
esac
`

// GCC is a compiler that has a version, and that takes down in the file
// "plugins" that it makes something of its standard input. What asks for the
// public headers is left to the machine's compiler: "gcc" in the control
// directory, a link.
const GCC = `
case "$1" in --version) echo "gcc 1.0"; exit;; esac
case "$*" in *" -c -xc "*) PATH=/usr/bin:/bin exec "$control/gcc" "$@";; esac
while [ $# -gt 1 ]; do
	if [ "$1" = -o ]; then out=$2; fi
	shift
done
echo "$out" >>"$control/plugins"
cat >"$out"
`
