#include "gate/table.h"

#include <stdbool.h>

#include "base/alloc.h"

#define ROOM_FIRST 64U

/* Pointers are even, so that an odd value is a free entry. */
static void *free_entry(size_t next)
{
	return (void *)((uintptr_t)next << 1 | 1);
}

static bool is_free(const void *entry)
{
	return (uintptr_t)entry & 1;
}

static void grow(struct table *t)
{
	size_t room = t->room ? t->room * 2 : ROOM_FIRST;

	t->entries = xreallocarray(t->entries, room, sizeof *t->entries);
	if (t->room == 0)
		t->entries[t->room++] = free_entry(0); /* 0 is never handed out */
	for (size_t i = t->room; i < room; i++)
		t->entries[i] = free_entry(i + 1 < room ? i + 1 : 0);
	t->free = t->room;
	t->room = room;
}

uint64_t table_add(struct table *t, void *thing)
{
	size_t id;

	if (t->free == 0)
		grow(t);
	id = t->free;
	t->free = (uintptr_t)t->entries[id] >> 1;
	t->entries[id] = thing;
	return id;
}

void *table_find(const struct table *t, uint64_t id)
{
	return id < t->room && !is_free(t->entries[id]) ? t->entries[id] : NULL;
}

void table_remove(struct table *t, uint64_t id)
{
	t->entries[id] = free_entry(t->free);
	t->free = id;
}

void table_release(struct table *t)
{
	free(t->entries);
	*t = (struct table){ 0 };
}
