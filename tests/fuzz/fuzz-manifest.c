/* Whatever a manifest holds: what is accepted can be written and reads back to the same, names no
 * layer by anything but a digest, and its sums do not depend on what is in it. */

#include <string.h>

#include "base/sha256.h"
#include "image/index.h"
#include "image/manifest.h"
#include "tests/fuzz/fuzz.h"

static struct manifest *parse(const char *text, size_t size)
{
	struct manifest *m = NULL;
	struct error *error = NULL;

	if (manifest_parse(text, size, "f", &m, &error) == 0) {
		must(m && !error);
		return m;
	}
	must(!m && error);
	error_free(error);
	return NULL;
}

static char *render(const struct manifest *m)
{
	struct error *error = NULL;
	char *text = NULL;

	must(manifest_render(m, &text, &error) == 0);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(manifest_freep) struct manifest *m = parse((const char *)data, size), *again;
	_cleanup_free_ char *text = xstrndup((const char *)data, size), *first = NULL,
			    *second = NULL;

	again = NULL;
	(void)index_bytes(text);
	if (!m)
		return 0;
	must(m->generation > 0 && m->n_layers > 0 && m->n_layers <= MANIFEST_LAYERS_MAX);
	for (size_t i = 0; i < m->n_layers; i++)
		must(sha256_is_hex(m->layers[i].digest));
	for (size_t i = 1; i < m->n_packages; i++)
		must(strcmp(m->packages[i - 1].name, m->packages[i].name) < 0);
	first = render(m);
	again = parse(first, strlen(first));
	must(again);
	second = render(again);
	must(!strcmp(first, second));
	return 0;
}
