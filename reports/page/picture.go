package page

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"xsmbench/reports/plot"
)

// picture is a chart as an element of the page.
type picture struct{ SVG template.HTML }

// colour is one in a chart's style.
var colour = regexp.MustCompile(`(fill|stroke):#([0-9A-Fa-f]{6})`)

// inline is the chart as an element of the page: without the declarations
// that stand before it in a file, and with colours that the page's style may
// replace where it is dark. Everything in it is the plot package's own; names of
// benchmarks are escaped there.
func inline(ch *plot.Chart) (template.HTML, error) {
	var b strings.Builder
	if err := ch.SVG(&b); err != nil {
		return "", err
	}
	_, svg, ok := strings.Cut(b.String(), "<svg ")
	if !ok {
		return "", fmt.Errorf("chart %s is not an SVG", ch.Name)
	}
	svg = colour.ReplaceAllStringFunc(svg, func(s string) string {
		m := colour.FindStringSubmatch(s)
		return fmt.Sprintf("%s:var(--x%s,#%s)", m[1], strings.ToLower(m[2]), m[2])
	})
	return template.HTML(`<svg role="img" aria-label="` + template.HTMLEscapeString(ch.Text) + `" ` + svg), nil
}
