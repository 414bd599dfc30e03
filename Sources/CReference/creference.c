#include "CReference.h"

#include <stdlib.h>
#include <string.h>

enum { words_in_page = 512, cache_size = 40 };
static const uint64_t base = 0x80000000;

struct page { uint64_t words[words_in_page]; };

struct creference {
    struct page *memory;
    /// One for each page: 1 + its live entries.
    int32_t *references;
    size_t pages, next;
    uint64_t cache[cache_size];
    int cached;
    size_t flushes;
};

struct creference *creference_create(size_t pages) {
    struct creference *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->memory = aligned_alloc(sizeof(struct page), pages * sizeof(struct page));
    t->references = malloc(pages * sizeof *t->references);
    t->pages = pages;
    if (!t->memory || !t->references) { creference_destroy(t); return NULL; }
    // The pages are touched once, so that no round pays for the system's own page faults.
    memset(t->memory, 0xff, pages * sizeof(struct page));
    memset(t->references, 0, pages * sizeof *t->references);
    creference_reset(t);
    return t;
}

void creference_destroy(struct creference *t) {
    if (!t) return;
    free(t->memory);
    free(t->references);
    free(t);
}

void creference_reset(struct creference *t) {
    memset(t->memory, 0, 2 * sizeof(struct page));
    t->references[0] = 1;
    t->references[1] = 0;
    t->next = 2;
    t->cached = 0;
    t->flushes = 0;
}

static size_t page_of(uint64_t pa) { return (pa - base) >> 12; }
static uint64_t *word_at(const struct creference *t, uint64_t pa) {
    return (uint64_t *)((char *)t->memory + (pa - base));
}

static int top_up(struct creference *t) {
    if (t->cached >= 2) return 0;
    while (t->cached < cache_size) {
        if (t->next == t->pages) return -12;
        memset(&t->memory[t->next], 0, sizeof(struct page));
        t->references[t->next] = 1;
        t->cache[t->cached++] = base + (t->next++ << 12);
    }
    return 0;
}

/// The table that the entry points to, made where there is none.
static uint64_t table_below(struct creference *t, uint64_t entry) {
    uint64_t *word = word_at(t, entry);
    if (*word == 0) {
        *word = t->cache[--t->cached] | 3;
        t->references[page_of(entry)]++;
    }
    return *word & 0xfffffff000;
}

int creference_map(struct creference *t, uint64_t ipa, uint64_t pfn, int writable) {
    if (top_up(t) != 0) return -12;
    uint64_t leaf = pfn << 12 | (writable ? 0x7ff : 0x77f);
    uint64_t level2 = table_below(t, base + ((ipa >> 30 & 1023) << 3));
    uint64_t level3 = table_below(t, level2 + ((ipa >> 21 & 511) << 3));
    uint64_t entry = level3 + ((ipa >> 12 & 511) << 3);
    uint64_t *word = word_at(t, entry);
    uint64_t old = *word;
    *word = leaf;
    if (old & 3) t->flushes++;
    else t->references[page_of(entry)]++;
    return 0;
}

int creference_map_all(struct creference *t, const uint64_t *ipas, size_t count, uint64_t pfn, int writable) {
    for (size_t i = 0; i < count; i++)
        if (creference_map(t, ipas[i], pfn + i, writable) != 0) return -12;
    return 0;
}

uint64_t creference_leaf(const struct creference *t, uint64_t ipa) {
    uint64_t word = *word_at(t, base + ((ipa >> 30 & 1023) << 3));
    if (word == 0) return 0;
    word = *word_at(t, (word & 0xfffffff000) + ((ipa >> 21 & 511) << 3));
    return word == 0 ? 0 : *word_at(t, (word & 0xfffffff000) + ((ipa >> 12 & 511) << 3));
}

size_t creference_flushes(const struct creference *t) { return t->flushes; }
size_t creference_pages(const struct creference *t) { return t->next; }
