package symbols

import (
	"slices"
	"strings"
	"testing"
)

// params are options as Xen has them (custom_param), one of them twice.
const params = `
#define OPTION(v, name) static const char __attribute__((used, section(".init.data"))) __setup_str_##v[] = name
OPTION(parse_flask_param, "flask");
OPTION(parse_spec_ctrl, "spec-ctrl");
OPTION(opt_flask, "flask");
static const char __attribute__((used)) not_an_option[] = "other";
void _start(void) {}
`

func TestOptions(t *testing.T) {
	got, err := Options(compileText(t, params))
	if want := []string{"flask", "spec-ctrl"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for what, source := range map[string]string{
		"it has no symbols __setup_str_…":  "void _start(void) {}",
		"__setup_str_x: 4 bytes at ":       "int __setup_str_x; void _start(void) {}", // in .bss
		"__setup_str_x: it is in no sect":  "asm(\".globl __setup_str_x\\n__setup_str_x = 5\"); void _start(void) {}",
		"read options of option_test.go: ": "",
	} {
		path := "option_test.go"
		if source != "" {
			path = compileText(t, source)
		}
		if _, err := Options(path); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want %s", err, what)
		}
	}
}
