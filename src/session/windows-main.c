/*
 * vitrine-windows: what is on the desktop's X display, for tests of profiles (session/desktop.h).
 *
 *     vitrine-windows list         a line for each window that has a title: WINDOW PID ACTIVE X Y
 *                                  WIDTH HEIGHT TITLE
 *     vitrine-windows pixels ID    "WIDTH HEIGHT\n", then three bytes for each pixel
 *     vitrine-windows png ID       the same as a PNG file
 *
 * PID is that of the program that made the window, as the X server knows it from the kernel
 * (X-Resource extension): no window can claim another one.
 */

#include <stdio.h>
#include <string.h>
#include <xcb/res.h>
#include <xcb/xcb.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/text.h"
#include "session/desktop.h"

#define DEPTH_MAX   4U /* frames of window managers lie in a few others */
#define TITLE_WORDS (DESKTOP_TITLE_MAX / 4)
#define LOOKED_AT   8192U /* windows, shown or not */

struct display {
	xcb_connection_t *connection;
	xcb_screen_t *screen;
	xcb_atom_t name, utf8, active;
	xcb_window_t active_window;
	unsigned looked_at, listed;
	struct buf out;
};

static int display_open(struct display *d, struct error **err)
{
	d->connection = xcb_connect(NULL, NULL);
	if (xcb_connection_has_error(d->connection))
		return error_set(err, ENOTCONN, "cannot connect to the X display");
	d->screen = xcb_setup_roots_iterator(xcb_get_setup(d->connection)).data;
	return d->screen ? 0 : error_set(err, ENODEV, "the X display has no screen");
}

static xcb_atom_t atom_of(struct display *d, const char *name)
{
	xcb_intern_atom_cookie_t cookie = xcb_intern_atom(d->connection, 0, (uint16_t)strlen(name),
							  name);
	_cleanup_free_ xcb_intern_atom_reply_t *reply = xcb_intern_atom_reply(d->connection, cookie,
									      NULL);

	return reply ? reply->atom : XCB_ATOM_NONE;
}

/* NULL where it is not set. Owned by the caller. */
static xcb_get_property_reply_t *property(struct display *d, xcb_window_t w, xcb_atom_t name,
					  xcb_atom_t type, uint32_t words)
{
	xcb_get_property_cookie_t cookie = xcb_get_property(d->connection, 0, w, name, type, 0,
							    words);
	xcb_get_property_reply_t *reply = xcb_get_property_reply(d->connection, cookie, NULL);

	if (reply && xcb_get_property_value_length(reply) > 0)
		return reply;
	free(reply);
	return NULL;
}

static char *title_of(struct display *d, xcb_window_t w)
{
	_cleanup_free_ xcb_get_property_reply_t *reply = property(d, w, d->name, d->utf8,
								  TITLE_WORDS);
	_cleanup_free_ char *text = NULL;

	if (!reply)
		reply = property(d, w, XCB_ATOM_WM_NAME, XCB_GET_PROPERTY_TYPE_ANY, TITLE_WORDS);
	if (!reply || reply->format != 8)
		return NULL;
	text = xstrndup(xcb_get_property_value(reply),
			(size_t)xcb_get_property_value_length(reply));
	return text_escape(text, strlen(text));
}

static void find_active(struct display *d)
{
	_cleanup_free_ xcb_get_property_reply_t *reply = property(d, d->screen->root, d->active,
								  XCB_ATOM_WINDOW, 1);

	if (reply && reply->format == 32)
		memcpy(&d->active_window, xcb_get_property_value(reply), sizeof d->active_window);
}

/* 0: a program on another host, or a server that does not tell. */
static uint32_t owner_of(struct display *d, xcb_window_t w)
{
	const xcb_res_client_id_spec_t spec = {
		.client = w,
		.mask = XCB_RES_CLIENT_ID_MASK_LOCAL_CLIENT_PID,
	};
	xcb_res_query_client_ids_cookie_t cookie = xcb_res_query_client_ids(d->connection, 1,
									    &spec);
	_cleanup_free_ xcb_res_query_client_ids_reply_t *reply = xcb_res_query_client_ids_reply(
		d->connection, cookie, NULL);
	xcb_res_client_id_value_iterator_t i;

	if (!reply)
		return 0;
	for (i = xcb_res_query_client_ids_ids_iterator(reply); i.rem;
	     xcb_res_client_id_value_next(&i))
		if (xcb_res_client_id_value_value_length(i.data) > 0)
			return *xcb_res_client_id_value_value(i.data);
	return 0;
}

static bool is_shown(struct display *d, xcb_window_t w)
{
	_cleanup_free_ xcb_get_window_attributes_reply_t *reply = xcb_get_window_attributes_reply(
		d->connection, xcb_get_window_attributes(d->connection, w), NULL);

	return reply && reply->map_state == XCB_MAP_STATE_VIEWABLE &&
	       reply->_class == XCB_WINDOW_CLASS_INPUT_OUTPUT;
}

static void list_window(struct display *d, xcb_window_t w, const char *title)
{
	_cleanup_free_ xcb_get_geometry_reply_t *size = xcb_get_geometry_reply(
		d->connection, xcb_get_geometry(d->connection, w), NULL);
	_cleanup_free_ xcb_translate_coordinates_reply_t *place = xcb_translate_coordinates_reply(
		d->connection, xcb_translate_coordinates(d->connection, w, d->screen->root, 0, 0),
		NULL);

	if (!size || !place || d->listed == DESKTOP_WINDOWS_MAX)
		return; /* it is gone */
	d->listed++;
	buf_addf(&d->out, "%u %u %d %u %u %u %u %s\n", w, owner_of(d, w), w == d->active_window,
		 place->dst_x > 0 ? place->dst_x : 0, place->dst_y > 0 ? place->dst_y : 0,
		 size->width, size->height, title);
}

static void list_beneath(struct display *d, xcb_window_t w, unsigned depth)
{
	_cleanup_free_ xcb_query_tree_reply_t *tree = xcb_query_tree_reply(
		d->connection, xcb_query_tree(d->connection, w), NULL);
	const xcb_window_t *children = tree ? xcb_query_tree_children(tree) : NULL;

	for (int i = 0; tree && i < xcb_query_tree_children_length(tree); i++) {
		_cleanup_free_ char *title = NULL;

		if (++d->looked_at > LOOKED_AT)
			return;
		if (!is_shown(d, children[i]))
			continue;
		title = title_of(d, children[i]);
		if (title)
			list_window(d, children[i], title);
		else if (depth < DEPTH_MAX)
			list_beneath(d, children[i], depth + 1);
	}
}

/* Without the extension nobody could tell whose a window is. */
static int check_extension(struct display *d, struct error **err)
{
	_cleanup_free_ xcb_res_query_version_reply_t *reply = xcb_res_query_version_reply(
		d->connection, xcb_res_query_version(d->connection, 1, 2), NULL);

	if (!reply || reply->server_major * 100 + reply->server_minor < 102)
		return error_set(err, EOPNOTSUPP,
				 "the X server lacks X-Resource 1.2, which tells whose a "
				 "window is");
	return 0;
}

static int list(struct display *d, struct error **err)
{
	int r = check_extension(d, err);

	if (r < 0)
		return r;
	d->name = atom_of(d, "_NET_WM_NAME");
	d->utf8 = atom_of(d, "UTF8_STRING");
	d->active = atom_of(d, "_NET_ACTIVE_WINDOW");
	find_active(d);
	list_beneath(d, d->screen->root, 1);
	return 0;
}

/* --- pictures --------------------------------------------------------------------------------- */

struct shot {
	uint32_t width, height;
	uint8_t *rgb; /* owned */
};

static void shot_release(struct shot *p)
{
	free(p->rgb);
}

/* What of a window is on the screen; the server has nothing else. */
struct area {
	int16_t x, y;
	uint32_t width, height;
};

static uint32_t overlap(int32_t at, uint32_t length, uint32_t screen, int16_t *ret_first)
{
	int32_t first = at < 0 ? -at : 0;
	int32_t last = (int32_t)length < (int32_t)screen - at ? (int32_t)length
							      : (int32_t)screen - at;

	*ret_first = (int16_t)first;
	return last > first ? (uint32_t)(last - first) : 0;
}

static int find_area(struct display *d, xcb_window_t w, struct area *ret, struct error **err)
{
	_cleanup_free_ xcb_get_geometry_reply_t *size = xcb_get_geometry_reply(
		d->connection, xcb_get_geometry(d->connection, w), NULL);
	_cleanup_free_ xcb_translate_coordinates_reply_t *place = xcb_translate_coordinates_reply(
		d->connection, xcb_translate_coordinates(d->connection, w, d->screen->root, 0, 0),
		NULL);

	if (!size || !place)
		return error_set(err, ENOENT, "the window is gone");
	ret->width = overlap(place->dst_x, size->width, d->screen->width_in_pixels, &ret->x);
	ret->height = overlap(place->dst_y, size->height, d->screen->height_in_pixels, &ret->y);
	if (!ret->width || !ret->height)
		return error_set(err, ENOENT, "the window is not on the screen");
	if ((size_t)ret->width * ret->height > DESKTOP_PIXELS_MAX)
		return error_set(err, EFBIG, "the window is too large");
	return 0;
}

/* True colour with eight bits each, as every desktop has it; other ones would need tables. */
static int take(struct display *d, xcb_window_t w, struct shot *ret, struct error **err)
{
	const bool little = xcb_get_setup(d->connection)->image_byte_order ==
			    XCB_IMAGE_ORDER_LSB_FIRST;
	_cleanup_free_ xcb_get_image_reply_t *image = NULL;
	struct area a = { 0 };
	const uint8_t *from;
	size_t n;
	int r;

	r = find_area(d, w, &a, err);
	if (r < 0)
		return r;
	n = (size_t)a.width * a.height;
	image = xcb_get_image_reply(d->connection,
				    xcb_get_image(d->connection, XCB_IMAGE_FORMAT_Z_PIXMAP, w, a.x,
						  a.y, (uint16_t)a.width, (uint16_t)a.height, ~0U),
				    NULL);
	if (!image)
		return error_set(err, ENOENT, "no picture: the window is gone");
	if (image->depth < 24 || (size_t)xcb_get_image_data_length(image) != 4 * n)
		return error_set(err, EOPNOTSUPP, "the X display has no 24-bit colours");
	from = xcb_get_image_data(image);
	ret->width = a.width;
	ret->height = a.height;
	ret->rgb = xmalloc(3 * n);
	/* Of each pixel the least byte is blue, in the order of bytes of the server. */
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < 3; c++)
			ret->rgb[3 * i + c] = from[4 * i + (little ? 2 - c : 1 + c)];
	return 0;
}

static void pixels(struct display *d, const struct shot *p)
{
	buf_addf(&d->out, "%u %u\n", p->width, p->height);
	buf_add(&d->out, p->rgb, 3 * (size_t)p->width * p->height);
}

static void add_u32(uint8_t *to, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(n >> (24 - 8 * i));
}

/* Portable Network Graphics, 5.3: length, type, data, CRC of type and data. */
static void add_chunk(struct buf *out, const char *type, const void *data, size_t size)
{
	uint8_t number[4];
	uLong crc = crc32(0, (const Bytef *)type, 4);

	add_u32(number, (uint32_t)size);
	buf_add(out, number, sizeof number);
	buf_add(out, type, 4);
	if (size) {
		buf_add(out, data, size);
		crc = crc32(crc, data, (uInt)size);
	}
	add_u32(number, (uint32_t)crc);
	buf_add(out, number, sizeof number);
}

static int png(struct display *d, const struct shot *p, struct error **err)
{
	const size_t row = 3 * (size_t)p->width, size = (row + 1) * p->height;
	_cleanup_free_ uint8_t *lines = xmalloc(size + 1);
	uLongf packed_size = compressBound(size);
	_cleanup_free_ uint8_t *packed = xmalloc(packed_size);
	uint8_t header[13] = { [8] = 8, [9] = 2 }; /* bits of a sample; red, green, blue */

	for (size_t y = 0; y < p->height; y++) {
		lines[y * (row + 1)] = 0; /* no filter */
		memcpy(lines + y * (row + 1) + 1, p->rgb + y * row, row);
	}
	if (compress2(packed, &packed_size, lines, size, Z_BEST_SPEED) != Z_OK)
		return error_set(err, EIO, "the picture cannot be compressed");
	add_u32(header, p->width);
	add_u32(header + 4, p->height);
	buf_add(&d->out, "\x89PNG\r\n\x1a\n", 8);
	add_chunk(&d->out, "IHDR", header, sizeof header);
	add_chunk(&d->out, "IDAT", packed, packed_size);
	add_chunk(&d->out, "IEND", NULL, 0);
	return 0;
}

static int picture(struct display *d, const char *how, const char *window, struct error **err)
{
	_cleanup_(shot_release) struct shot p = { 0 };
	uint32_t w;
	int r;

	if (parse_u32(window, &w) < 0)
		return error_set(err, EINVAL, "no window: '%s'", window);
	r = take(d, w, &p, err);
	if (r < 0)
		return r;
	if (!strcmp(how, "png"))
		return png(d, &p, err);
	pixels(d, &p);
	return 0;
}

int main(int argc, char **argv)
{
	struct display d = { 0 };
	struct error *error = NULL;
	int r;

	if (argc != 2 && argc != 3) {
		fputs("vitrine-windows is started by vitrine profile test\n", stderr);
		return 2;
	}
	r = display_open(&d, &error);
	if (r >= 0)
		r = argc == 2 ? list(&d, &error) : picture(&d, argv[1], argv[2], &error);
	if (r >= 0)
		r = fs_write_all(STDOUT_FILENO, d.out.data, d.out.size, &error);
	xcb_disconnect(d.connection);
	buf_release(&d.out);
	if (r >= 0)
		return 0;
	fprintf(stderr, "%s\n", error->message);
	error_free(error);
	return 1;
}
