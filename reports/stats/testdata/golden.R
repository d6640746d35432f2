# What R makes of data.txt, to be compared with what this package makes of it:
#
#	Rscript golden.R >golden.txt
#
# Only packages that are part of R are used.
lines <- grep("^#", readLines("data.txt"), value = TRUE, invert = TRUE)
fields <- strsplit(lines, " ")
d <- lapply(fields, function(f) as.numeric(f[-1]))
names(d) <- sapply(fields, `[`, 1)

out <- function(data, what, value) cat(data, what, sprintf("%.15g", value), "\n", sep = " ")

paired <- c("sleepdiff", "small", "even", "skewed", "negative", "odd", "long")
for (name in paired) {
	x <- d[[name]]
	for (level in c(0.95, 0.99)) {
		t <- t.test(x, conf.level = level)
		out(name, paste0("lo", 100 * level), t$conf.int[1])
		out(name, paste0("hi", 100 * level), t$conf.int[2])
	}
	out(name, "p", t$p.value)
	margin <- 1.5 * abs(mean(x))
	out(name, "tost", max(
		t.test(x, mu = -margin, alternative = "greater")$p.value,
		t.test(x, mu = margin, alternative = "less")$p.value))
	out(name, "power", power.t.test(n = length(x), delta = abs(mean(x)), sd = sd(x), type = "one.sample", strict = TRUE)$power)
}

# The exact signed-rank test of R allows neither ties nor zeros.
for (name in c("small", "even", "skewed", "negative", "odd", "long")) {
	w <- wilcox.test(d[[name]], exact = TRUE, conf.int = TRUE, conf.level = if (name == "small") 0.75 else 0.95)
	out(name, "wilcoxon", w$p.value)
	out(name, "wlo", w$conf.int[1])
	out(name, "whi", w$conf.int[2])
	out(name, "hl", w$estimate)
}
h <- wilcox.test(d$hamilton1, d$hamilton2, paired = TRUE, exact = TRUE)
out("hamilton", "wilcoxon", h$p.value)

# With ties or zeros: all changes of signs, counted out.
for (name in c("tied", "sleepdiff")) {
	x <- d[[name]][d[[name]] != 0]
	r <- rank(abs(x))
	signs <- as.matrix(expand.grid(rep(list(0:1), length(x))))
	sums <- as.vector(signs %*% r)
	seen <- sum(r[x > 0])
	out(name, "signs", min(1, 2 * min(mean(sums <= seen), mean(sums >= seen))))
}

for (pair in list(c("sleep1", "sleep2"), c("unpaired1", "unpaired2"), c("hamilton2", "hamilton1"))) {
	a <- d[[pair[1]]]
	b <- d[[pair[2]]]
	name <- paste(pair, collapse = "+")
	t <- t.test(b, a)
	out(name, "df", t$parameter)
	out(name, "lo95", t$conf.int[1])
	out(name, "hi95", t$conf.int[2])
	out(name, "p", t$p.value)
}
for (pair in list(c("unpaired1", "unpaired2"), c("even", "skewed"))) {
	a <- d[[pair[1]]]
	b <- d[[pair[2]]]
	name <- paste(pair, collapse = "+")
	w <- wilcox.test(b, a, exact = TRUE, conf.int = TRUE)
	out(name, "mannwhitney", w$p.value)
	out(name, "shift", w$estimate)
}

holm <- p.adjust(d$pvalues, "holm")
for (i in seq_along(holm)) out("pvalues", paste0("holm", i), holm[i])

for (name in c("rising", "odd", "long", "skewed")) {
	k <- cor.test(seq_along(d[[name]]), d[[name]], method = "kendall", exact = TRUE)
	out(name, "drift", k$p.value)
	out(name, "tau", k$estimate)
}
for (name in c("even", "skewed")) { # with ties in time
	k <- cor.test(d$place, d[[name]], method = "kendall", exact = FALSE, continuity = TRUE)
	out(name, "place", k$p.value)
	out(name, "placetau", k$estimate)
}
out("sleepdiff", "drift", cor.test(1:10, d$sleepdiff, method = "kendall", exact = FALSE, continuity = TRUE)$p.value)
for (name in c("rising", "long")) {
	x <- d[[name]]
	slopes <- combn(length(x), 2, function(i) (x[i[2]] - x[i[1]]) / (i[2] - i[1]))
	out(name, "slope", median(slopes) * (length(x) - 1))
}

for (name in c("balanced", "unequal", "same")) {
	y <- d[[name]]
	g <- factor(d[[paste0(name, "group")]])
	a <- summary(aov(y ~ g))[[1]]
	out(name, "msb", a[["Mean Sq"]][1])
	out(name, "msw", a[["Mean Sq"]][2])
	out(name, "f", a[["F value"]][1])
	out(name, "panova", a[["Pr(>F)"]][1])
	means <- t.test(tapply(y, g, mean))
	out(name, "layoutlo", means$conf.int[1])
	out(name, "layouthi", means$conf.int[2])
}
# The mixed model's own interval: the intercept's stratum of an analysis with
# random groups. Balanced groups only.
for (name in c("balanced", "same")) {
	y <- d[[name]]
	g <- factor(d[[paste0(name, "group")]])
	stratum <- summary(aov(y ~ 1 + Error(g)))[["Error: g"]][[1]]
	half <- qt(0.975, stratum[["Df"]][1]) * sqrt(stratum[["Mean Sq"]][1] / length(y))
	out(name, "mixedlo", mean(y) - half)
	out(name, "mixedhi", mean(y) + half)
}

for (name in c("sleepdiff", "skewed", "negative", "long", "odd")) {
	out(name, "inner", length(boxplot.stats(d[[name]], coef = 1.5)$out))
	out(name, "outer", length(boxplot.stats(d[[name]], coef = 3)$out))
}

# Samples too large to count out, with ties.
l <- floor(10 * d$long + 0.5)
out("many", "mannwhitneynormal", wilcox.test(c(l, l - 4), c(l + 5, l), exact = FALSE, correct = TRUE)$p.value)
