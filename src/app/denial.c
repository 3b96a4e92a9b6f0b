#include "app/denial.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/parse.h"
#include "base/text.h"

/* auditd's enriched lines have what the kernel wrote, this, and names for the numbers in it
 * (auditd.conf(5), log_format). */
#define ENRICHED '\x1d'

/* How a field is written: see the header. */
enum encoding {
	WORD,	/* as it is, with or without quotation marks */
	CHOSEN, /* in quotation marks, or hexadecimal */
};

/* Fields that are text. */
static const struct field {
	const char *key;
	enum encoding encoding;
	size_t offset;	  /* in struct denial */
	const char *json; /* NULL: as the key */
} fields[] = {
	/* clang-format off */
	{ "operation", WORD, offsetof(struct denial, operation), NULL },
	{ "profile", CHOSEN, offsetof(struct denial, profile), NULL },
	{ "namespace", CHOSEN, offsetof(struct denial, policy), NULL },
	{ "name", CHOSEN, offsetof(struct denial, name), NULL },
	{ "target", CHOSEN, offsetof(struct denial, target), NULL },
	{ "srcname", CHOSEN, offsetof(struct denial, target), "target" },
	{ "comm", CHOSEN, offsetof(struct denial, program), "program" },
	{ "denied_mask", WORD, offsetof(struct denial, mask), "denied" },
	{ "denied", WORD, offsetof(struct denial, mask), "denied" },
	{ "peer", CHOSEN, offsetof(struct denial, peer), NULL },
	{ "capname", WORD, offsetof(struct denial, capability), "capability" },
	{ "family", WORD, offsetof(struct denial, family), NULL },
	{ "signal", WORD, offsetof(struct denial, signal), NULL },
	{ "info", WORD, offsetof(struct denial, info), NULL },
	/* clang-format on */
};

static char **text_of(const struct denial *d, const struct field *f)
{
	return (char **)((char *)d + f->offset);
}

void denial_release(struct denial *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		char **text = text_of(d, &fields[i]);

		free(*text);
		*text = NULL;
	}
	*d = DENIAL_NONE;
}

/* --- words of a line ---------------------------------------------------------------------------
 */

struct word {
	const char *key, *value;
	size_t key_size, value_size;
	bool quoted; /* the value was; it does not have the quotation marks */
};

/* The next KEY=VALUE of *at, up to `end`. What is no such pair is passed over. */
static bool next_pair(const char **at, const char *end, struct word *ret)
{
	const char *s = *at;

	while (s < end) {
		struct word w = { .key = s };

		while (s < end && *s != ' ' && *s != '=' && *s != ENRICHED)
			s++;
		w.key_size = (size_t)(s - w.key);
		if (s == end || *s != '=') {
			s += s < end;
			continue;
		}
		s++;
		w.quoted = s < end && *s == '"';
		s += w.quoted;
		w.value = s;
		while (s < end && (w.quoted ? *s != '"' : *s != ' ' && *s != ENRICHED))
			s++;
		w.value_size = (size_t)(s - w.value);
		*at = s + (s < end);
		*ret = w;
		return true;
	}
	*at = end;
	return false;
}

static bool is_key(const struct word *w, const char *key)
{
	return strlen(key) == w->key_size && !memcmp(w->key, key, w->key_size);
}

static bool is_value(const struct word *w, const char *value)
{
	return strlen(value) == w->value_size && !memcmp(w->value, value, w->value_size);
}

static uint64_t number_of(const struct word *w)
{
	_cleanup_free_ char *text = xstrndup(w->value, w->value_size);
	uint64_t value;

	return parse_u64(text, &value) < 0 ? DENIAL_NO_ID : value;
}

static int digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c ? strchr(digits, c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* What the kernel wrote as hexadecimal digits; NULL if it did not. A NUL, which no name has but
 * that of an abstract socket, becomes "@". */
static char *decode(const struct word *w)
{
	_cleanup_free_ char *text = xmalloc(w->value_size / 2 + 1);

	if (w->value_size == 0 || w->value_size % 2)
		return NULL;
	for (size_t i = 0; i < w->value_size; i += 2) {
		int high = digit(w->value[i]), low = digit(w->value[i + 1]);

		if (high < 0 || low < 0)
			return NULL;
		text[i / 2] = (char)(high << 4 | low);
		if (!text[i / 2])
			text[i / 2] = '@';
	}
	text[w->value_size / 2] = '\0';
	return TAKE_PTR(text);
}

static char *value_of(const struct word *w, enum encoding encoding)
{
	char *decoded = encoding == CHOSEN && !w->quoted ? decode(w) : NULL;

	return decoded ? decoded : xstrndup(w->value, w->value_size);
}

/* "audit(SECONDS.MILLISECONDS:SERIAL)", wherever it stands. */
static bool find_stamp(const char *line, size_t size, uint64_t *ret_ms, uint64_t *ret_serial)
{
	static const char mark[] = "audit(";
	const char *at = memmem(line, size, mark, sizeof mark - 1), *end;
	_cleanup_free_ char *copy = NULL;
	char *dot, *colon;
	uint64_t seconds, ms, serial;

	if (!at)
		return false;
	at += sizeof mark - 1;
	end = memchr(at, ')', size - (size_t)(at - line));
	if (!end)
		return false;
	copy = xstrndup(at, (size_t)(end - at));
	dot = strchr(copy, '.');
	colon = dot ? strchr(dot, ':') : NULL;
	if (!colon)
		return false;
	*dot = *colon = '\0';
	if (parse_u64(copy, &seconds) < 0 || parse_u64(dot + 1, &ms) < 0 || ms > 999 ||
	    parse_u64(colon + 1, &serial) < 0 || seconds > UINT32_MAX)
		return false;
	*ret_ms = seconds * 1000 + ms;
	*ret_serial = serial;
	return true;
}

/* --- lines -------------------------------------------------------------------------------------
 */

static void take_field(struct denial *d, const struct word *w)
{
	if (is_key(w, "pid"))
		d->pid = number_of(w);
	if (is_key(w, "fsuid"))
		d->uid = number_of(w);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		char **text = text_of(d, &fields[i]);

		if (!*text && is_key(w, fields[i].key))
			*text = value_of(w, fields[i].encoding);
	}
}

bool denial_parse(const char *line, size_t size, struct denial *ret)
{
	static const char mark[] = "apparmor=";
	struct denial d = DENIAL_NONE;
	const char *at, *end;
	struct word w;

	size = size < DENIAL_LINE_MAX ? size : DENIAL_LINE_MAX;
	end = line + size;
	/* The kernel writes it first, before anything that a program has chosen. */
	at = memmem(line, size, mark, sizeof mark - 1);
	if (!at || !next_pair(&at, end, &w) || !w.quoted || !is_value(&w, "DENIED"))
		return false;
	(void)find_stamp(line, (size_t)(at - line), &d.time_ms, &d.serial);
	while (next_pair(&at, end, &w))
		take_field(&d, &w);
	if (!d.operation) {
		denial_release(&d);
		return false;
	}
	*ret = d;
	return true;
}

bool denial_parse_caller(const char *line, size_t size, uint64_t *ret_serial, uint64_t *ret_uid)
{
	static const char mark[] = "type=SYSCALL ";
	uint64_t ms, serial, uid = DENIAL_NO_ID;
	const char *at = line, *end;
	struct word w;

	size = size < DENIAL_LINE_MAX ? size : DENIAL_LINE_MAX;
	end = line + size;
	if (size < sizeof mark - 1 || memcmp(line, mark, sizeof mark - 1) != 0 ||
	    !find_stamp(line, size, &ms, &serial))
		return false;
	while (uid == DENIAL_NO_ID && next_pair(&at, end, &w))
		if (is_key(&w, "fsuid"))
			uid = number_of(&w);
	if (uid == DENIAL_NO_ID)
		return false;
	*ret_serial = serial;
	*ret_uid = uid;
	return true;
}

/* --- for people and for programs ---------------------------------------------------------------
 */

/* What the operations of security/apparmor/include/audit.h are called here; `object` says which
 * field tells what it was done to. Others are shown as they are. */
static const struct {
	const char *operation, *words;
	size_t object;
} operations[] = {
	/* clang-format off */
	{ "open", "open", offsetof(struct denial, name) },
	{ "exec", "run", offsetof(struct denial, name) },
	{ "file_mmap", "map", offsetof(struct denial, name) },
	{ "file_mprotect", "map", offsetof(struct denial, name) },
	{ "file_perm", "use", offsetof(struct denial, name) },
	{ "file_inherit", "inherit", offsetof(struct denial, name) },
	{ "file_receive", "receive", offsetof(struct denial, name) },
	{ "file_lock", "lock", offsetof(struct denial, name) },
	{ "getattr", "look at", offsetof(struct denial, name) },
	{ "chmod", "change the mode of", offsetof(struct denial, name) },
	{ "chown", "change the owner of", offsetof(struct denial, name) },
	{ "truncate", "truncate", offsetof(struct denial, name) },
	{ "mkdir", "make the directory", offsetof(struct denial, name) },
	{ "rmdir", "remove the directory", offsetof(struct denial, name) },
	{ "mknod", "make", offsetof(struct denial, name) },
	{ "unlink", "remove", offsetof(struct denial, name) },
	{ "symlink", "make the link", offsetof(struct denial, name) },
	{ "link", "link", offsetof(struct denial, name) },
	{ "rename_src", "rename", offsetof(struct denial, name) },
	{ "rename_dest", "rename something to", offsetof(struct denial, name) },
	{ "mount", "mount on", offsetof(struct denial, name) },
	{ "umount", "unmount", offsetof(struct denial, name) },
	{ "pivotroot", "change the root to", offsetof(struct denial, name) },
	{ "ptrace", "trace", offsetof(struct denial, peer) },
	{ "signal", "signal", offsetof(struct denial, peer) },
	{ "capable", "use the capability", offsetof(struct denial, capability) },
	{ "change_profile", "change to the profile", offsetof(struct denial, name) },
	{ "change_onexec", "change to the profile", offsetof(struct denial, name) },
	{ "userns_create", "make a user namespace", 0 },
	{ "create", "make a socket of the family", offsetof(struct denial, family) },
	{ "connect", "connect a socket of the family", offsetof(struct denial, family) },
	{ "bind", "bind a socket of the family", offsetof(struct denial, family) },
	{ "sendmsg", "send over a socket of the family", offsetof(struct denial, family) },
	{ "recvmsg", "receive over a socket of the family", offsetof(struct denial, family) },
	/* clang-format on */
};

static void add_escaped(struct buf *b, const char *before, const char *text, const char *after)
{
	_cleanup_free_ char *shown = text ? text_escape(text, strlen(text)) : NULL;

	if (shown)
		buf_addf(b, "%s%s%s", before, shown, after);
}

static void add_deed(struct buf *b, const struct denial *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		if (strcmp(operations[i].operation, d->operation) != 0)
			continue;
		buf_adds(b, operations[i].words);
		if (operations[i].object)
			add_escaped(b, " '",
				    *(char *const *)((const char *)d + operations[i].object), "'");
		return;
	}
	add_escaped(b, "", d->operation, "");
	add_escaped(b, " '", d->name, "'");
}

char *denial_describe(const struct denial *d)
{
	struct buf b = { 0 };

	add_escaped(&b, "", d->program ? d->program : "?", "");
	if (d->pid != DENIAL_NO_ID)
		buf_addf(&b, "[%ju]", (uintmax_t)d->pid);
	buf_adds(&b, " may not ");
	add_deed(&b, d);
	add_escaped(&b, " (", d->mask, ")");
	add_escaped(&b, ", other path '", d->target, "'");
	add_escaped(&b, ", signal ", d->signal, "");
	add_escaped(&b, ", because: ", d->info, "");
	add_escaped(&b, "; profile ", d->profile, "");
	add_escaped(&b, " of ", d->policy, "");
	return buf_take(&b);
}

static json_t *text_to_json(const char *text)
{
	json_t *json = text ? json_string(text) : json_null();
	_cleanup_free_ char *shown = json ? NULL : text_escape(text, strlen(text));

	return json ? json : json_string(shown);
}

static json_t *number_to_json(uint64_t value)
{
	return value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

json_t *denial_to_json(const struct denial *d)
{
	json_t *json = json_pack("{s:o, s:o, s:o}", "time_ms", number_to_json(d->time_ms), "pid",
				 number_to_json(d->pid), "uid", number_to_json(d->uid));

	for (size_t i = 0; json && i < ARRAY_SIZE(fields); i++) {
		const char *key = fields[i].json ? fields[i].json : fields[i].key;

		(void)json_object_set_new(json, key, text_to_json(*text_of(d, &fields[i])));
	}
	return json;
}
