/* Nodes as text, as a place in the journal, and in their order within an event. */
#include "base/assert.h"
#include "base/hash.h"
#include "core/identity/identity.h"
#include <endian.h>

/* Eight digits of four bytes at once: a nibble to each byte, then '0' or 'a' - 10 added to it. */
static uint64_t hex_of(const uint8_t b[4])
{
    const uint64_t ones = UINT64_MAX / 255;
    uint32_t bytes;
    memcpy(&bytes, b, sizeof(bytes));
    uint64_t v = be32toh(bytes); /* the first byte is the topmost */
    v = (v | v << 16) & UINT64_C(0x0000ffff0000ffff);
    v = (v | v << 8) & UINT64_C(0x00ff00ff00ff00ff);
    v = (v | v << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint64_t letters = (v + ones * 6) >> 4 & ones; /* 1 where the nibble is over 9 */
    return htobe64(v + ones * '0' + letters * ('a' - '0' - 10));
}

void sc_node_hex(const struct sc_node_id *n, char out[32])
{
    SC_ASSERT(n != NULL && out != NULL);
    for (size_t i = 0; i < sizeof(n->b); i += 4) {
        uint64_t digits = hex_of(n->b + i);
        memcpy(out + 2 * i, &digits, sizeof(digits));
    }
}

/* Lower case only: one node has one spelling. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sc_node_parse_hex(struct sc_str s, struct sc_node_id *out)
{
    SC_ASSERT(out != NULL);
    if (s.len != 2 * sizeof(out->b))
        return false;
    for (size_t i = 0; i < sizeof(out->b); i++) {
        int high = hex_digit(s.p[2 * i]), low = hex_digit(s.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out->b[i] = (uint8_t)(high << 4 | low);
    }
    return sc_node_rank(out) != 0;
}

uint32_t sc_node_partition(const struct sc_node_id *n, uint32_t partitions)
{
    SC_ASSERT(partitions > 0);
    SC_ASSERT(!sc_node_none(n));
    return (uint32_t)(sc_hash_xxh64(n->b, sizeof(n->b)) % partitions);
}

/* Insertion keeps the order at any time, so a record with thousands of identifiers costs no more
 * memory than one with sixteen. */
void sc_identifiers_add(struct sc_event *ev, const struct sc_identifier *id)
{
    SC_ASSERT(ev->n_ids <= SC_IDENTIFIERS_MAX);
    SC_ASSERT(!sc_node_none(&id->node));
    uint32_t at = 0;
    while (at < ev->n_ids && sc_node_cmp(&ev->ids[at].node, &id->node) < 0)
        at++;
    if (at < ev->n_ids && sc_node_eq(&ev->ids[at].node, &id->node))
        return;
    if (ev->n_ids == SC_IDENTIFIERS_MAX) {
        ev->ids_demoted++;
        if (at == SC_IDENTIFIERS_MAX)
            return;
        ev->n_ids--;
    }
    memmove(&ev->ids[at + 1], &ev->ids[at], (ev->n_ids - at) * sizeof(ev->ids[0]));
    ev->ids[at] = *id;
    ev->n_ids++;
}

void sc_identifiers_begin(struct sc_pseudonyms *ps, struct sc_event *ev,
                          const struct sc_identifier *begun)
{
    if (ev->ids_begun == SC_IDENTIFIERS_MAX)
        sc_identifiers_end(ps, ev); /* which of them go is known by their nodes */
    if (ev->ids_begun < ev->n_ids) {
        struct sc_identifier id = *begun;
        sc_identify_end(ps, &id);
        sc_identifiers_add(ev, &id);
        return;
    }
    ev->ids[ev->n_ids++] = *begun;
    ev->ids_begun++;
}

void sc_identifiers_end(struct sc_pseudonyms *ps, struct sc_event *ev)
{
    struct sc_identifier begun[SC_IDENTIFIERS_MAX];
    uint32_t n = ev->ids_begun;
    SC_ASSERT(n == 0 || n == ev->n_ids);
    ev->ids_begun = 0;
    if (n == 1) { /* nothing to put in order */
        sc_identify_end(ps, &ev->ids[0]);
        return;
    }
    if (n == 0)
        return;
    memcpy(begun, ev->ids, n * sizeof(*begun));
    ev->n_ids = 0;
    for (uint32_t i = 0; i < n; i++) {
        sc_identify_end(ps, &begun[i]);
        sc_identifiers_add(ev, &begun[i]);
    }
}
