/*
 * oracle answers, by libsepol, what FLASK's security server is asked:
 *
 *	oracle POLICY < questions > answers
 *
 * A question is a line of numbers and contexts; an answer is a line:
 *
 *	v SOURCE TARGET CLASS MASK   allowed auditallow auditdeny, of the
 *	                             permissions in MASK; in hexadecimal
 *	t SOURCE TARGET CLASS        the context of a new object, or "invalid"
 *	c OLD NEW SUBJECT CLASS      1 if the change is valid, else 0
 *
 * Classes are numbers. libsepol knows SELinux's classes of processes; here the
 * policy's class "domain" takes their place, as it does in Xen. The first line
 * of the answers is "ok", or "refused" if libsepol does not read the policy.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <sepol/policydb/flask_types.h>
#include <sepol/policydb/policydb.h>
#include <sepol/policydb/services.h>
#include <sepol/policydb/sidtab.h>
#include <sepol/debug.h>

/* What libsepol may take to read a policy, in seconds of the processor's. */
#define MOST_SECONDS 1

static policydb_t policy;
static sidtab_t sids;

static void die(const char *what)
{
	fprintf(stderr, "oracle: %s\n", what);
	exit(2);
}

/* load reads the policy and says whether libsepol takes it. */
static int load(const char *path)
{
	struct policy_file file;
	FILE *f = fopen(path, "r");

	if (!f)
		die("open policy");
	policy_file_init(&file);
	file.type = PF_USE_STDIO;
	file.fp = f;
	if (policydb_init(&policy))
		die("out of memory");
	if (policydb_read(&policy, &file, 0) || policydb_load_isids(&policy, &sids))
		return 0;
	fclose(f);
	return 1;
}

/* use_domains makes class domain what libsepol takes for processes. */
static void use_domains(void)
{
	class_datum_t *class = hashtab_search(policy.p_classes.table, "domain");
	perm_datum_t *transition = NULL;

	if (class)
		transition = hashtab_search(class->permissions.table, "transition");
	policy.process_class = class ? class->s.value : 0;
	policy.process_trans = transition ? 1U << (transition->s.value - 1) : 0;
	policy.process_trans_dyntrans = policy.process_trans;
}

static sepol_security_id_t sid(const char *context)
{
	sepol_security_id_t id = 0;

	if (sepol_context_to_sid(context, strlen(context) + 1, &id))
		die(context);
	return id;
}

static void vectors(const char *source, const char *target, unsigned class, unsigned mask)
{
	struct sepol_av_decision d;
	unsigned reason;

	if (sepol_compute_av_reason(sid(source), sid(target), class, 0, &d, &reason))
		die("compute access vector");
	printf("%x %x %x\n", d.allowed & mask, d.auditallow & mask, d.auditdeny & mask);
}

static void transition(const char *source, const char *target, unsigned class)
{
	sepol_security_id_t id;
	sepol_security_context_t text;
	size_t len;

	if (sepol_transition_sid(sid(source), sid(target), class, &id)) {
		puts("invalid");
		return;
	}
	if (sepol_sid_to_context(id, &text, &len))
		die("write context");
	puts(text);
	free(text);
}

static void change(const char *old, const char *new, const char *subject, unsigned class)
{
	char *reason = NULL;

	puts(sepol_validate_transition_reason_buffer(sid(old), sid(new), sid(subject), class, &reason, 0) ? "0" : "1");
	free(reason);
}

int main(int argc, char **argv)
{
	char line[4096], a[1024], b[1024], c[1024];
	unsigned class, mask;

	/* Broken policies make libsepol loop for ever, or ask for all memory. */
	struct rlimit seconds = { MOST_SECONDS, RLIM_INFINITY }, bytes = { 1UL << 30, 1UL << 30 };

	setrlimit(RLIMIT_AS, &bytes);
	setrlimit(RLIMIT_CPU, &seconds);
	if (argc != 2)
		die("want a policy");
	sepol_debug(1); /* why a policy is refused, on standard error */
	if (!load(argv[1])) {
		puts("refused");
		return 0;
	}
	seconds.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_CPU, &seconds);
	use_domains();
	sepol_set_policydb(&policy);
	sepol_set_sidtab(&sids);
	puts("ok");
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "v %1023s %1023s %u %x", a, b, &class, &mask) == 4)
			vectors(a, b, class, mask);
		else if (sscanf(line, "t %1023s %1023s %u", a, b, &class) == 3)
			transition(a, b, class);
		else if (sscanf(line, "c %1023s %1023s %1023s %u", a, b, c, &class) == 4)
			change(a, b, c, class);
		else
			die(line);
	}
	return 0;
}
