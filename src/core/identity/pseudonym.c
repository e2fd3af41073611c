/* Normalised value to node: HMAC-SHA-256 with a secret key, behind a cache of values seen lately.
 *
 * The cache is two entries a set, the later used first, and holds no raw value: an entry is found
 * by the 128-bit SipHash of the value under a key of its namespace. At 128 bits a false hit, which
 * would join two people, is as likely as a clash of the nodes themselves; at 64 it would not be.
 * The keys come from the secret, so that nobody outside can aim at a set. An identifier that is begun
 * holds its tag where its node will be. Cost of a hit: one SipHash and one cache line, about a tenth of
 * the HMAC. */
#include "base/arena.h"
#include "base/assert.h"
#include "base/hmac.h"
#include "base/prefetch.h"
#include "base/siphash.h"
#include "core/identity/identity.h"

#include <stdlib.h>

struct cached {
    uint8_t tag[16];
    struct sc_node_id node; /* none: the entry is free */
};

struct cache_set {
    struct cached entry[2];
};

struct sc_pseudonyms {
    const struct sc_taxonomy *tx;
    struct sc_hmac *hmac;
    uint8_t version; /* as it stands in nodes: the newest smallest */
    uint8_t cache_key[SC_NAMESPACES_MAX][SC_SIPHASH_KEY_BYTES];
    struct cache_set *sets;
    uint64_t mask;
};

static uint64_t sets_for(size_t entries)
{
    uint64_t sets = 1;
    while (sets * 2 * 2 <= entries)
        sets *= 2;
    return sets;
}

struct sc_pseudonyms *sc_pseudonyms_create(const struct sc_taxonomy *tx, struct sc_str key,
                                           uint8_t version, size_t cache_entries)
{
    SC_ASSERT(tx->n_namespaces <= SC_NAMESPACES_MAX);
    SC_ASSERT(version <= 15);
    struct sc_pseudonyms *ps = sc_calloc(1, sizeof(*ps));
    ps->tx = tx;
    ps->hmac = sc_hmac_create(key);
    ps->version = (uint8_t)(15 - version);
    uint64_t sets = sets_for(cache_entries);
    ps->sets = sc_calloc_table(sets, sizeof(*ps->sets));
    ps->mask = sets - 1;
    for (uint32_t i = 0; i < tx->n_namespaces; i++) {
        /* two NULs: no node is made from this text, since no namespace's name is empty */
        const struct sc_str parts[] = {SC_STR("\0\0cache"), tx->namespaces[i].name};
        uint8_t mac[32];
        sc_hmac_sign(ps->hmac, parts, 2, mac);
        memcpy(ps->cache_key[i], mac, SC_SIPHASH_KEY_BYTES);
    }
    return ps;
}

void sc_pseudonyms_destroy(struct sc_pseudonyms *ps)
{
    if (ps == NULL)
        return;
    sc_hmac_destroy(ps->hmac);
    free(ps->sets);
    free(ps);
}

static struct sc_node_id make_node(struct sc_pseudonyms *ps, uint8_t ns, struct sc_str value)
{
    const struct sc_namespace *space = &ps->tx->namespaces[ns];
    const struct sc_str parts[] = {space->name, SC_STR("\0"), value};
    uint8_t mac[32];
    sc_hmac_sign(ps->hmac, parts, 3, mac);
    struct sc_node_id node;
    node.b[0] = (uint8_t)(ps->version << 4 | space->rank);
    memcpy(node.b + 1, mac, sizeof(node.b) - 1);
    return node;
}

/* Where the set of a tag stands. */
static struct cache_set *set_of(const struct sc_pseudonyms *ps, const uint8_t tag[16])
{
    uint64_t slot;
    memcpy(&slot, tag, sizeof(slot));
    return &ps->sets[slot & ps->mask];
}

static struct sc_node_id look_up(struct sc_pseudonyms *ps, uint8_t ns, struct sc_str value,
                                 const uint8_t tag[16])
{
    struct cached *entry = set_of(ps, tag)->entry;
    if (!sc_node_none(&entry[0].node) && memcmp(entry[0].tag, tag, sizeof(entry->tag)) == 0)
        return entry[0].node;
    struct cached found;
    if (!sc_node_none(&entry[1].node) && memcmp(entry[1].tag, tag, sizeof(entry->tag)) == 0) {
        found = entry[1];
    } else {
        memcpy(found.tag, tag, sizeof(found.tag));
        found.node = make_node(ps, ns, value);
    }
    entry[1] = entry[0];
    entry[0] = found;
    return found.node;
}

static void make_tag(const struct sc_pseudonyms *ps, uint8_t ns, struct sc_str value,
                     uint8_t tag[16])
{
    SC_ASSERT(ns < ps->tx->n_namespaces);
    SC_ASSERT(ps->tx->namespaces[ns].rank >= 1 && ps->tx->namespaces[ns].rank <= 15);
    sc_siphash_128(value, ps->cache_key[ns], tag);
}

struct sc_node_id sc_pseudonym(struct sc_pseudonyms *ps, uint8_t ns, struct sc_str value)
{
    uint8_t tag[16];
    make_tag(ps, ns, value, tag);
    return look_up(ps, ns, value, tag);
}

enum sc_ident sc_identify_begin(struct sc_pseudonyms *ps, uint8_t ns, struct sc_str raw,
                                struct sc_arena *ar, struct sc_identifier *out)
{
    SC_ASSERT(ns < ps->tx->n_namespaces);
    SC_ASSERT(out != NULL);
    const struct sc_namespace *space = &ps->tx->namespaces[ns];
    if (raw.len > SC_IDENTIFIER_BYTES_MAX)
        return SC_IDENT_TOO_LONG;
    if (sc_identifier_blocked(space, raw))
        return SC_IDENT_BLOCKED;
    struct sc_str value = sc_normalize((enum sc_normalize)space->normalize, raw, ar);
    if (space->normalize == SC_NORM_E164) {
        /* a placeholder may hide behind signs: "+00 000", or "no phone", which has no digits */
        bool plus = value.len > 0 && value.p[0] == '+';
        struct sc_str digits = {value.p + plus, value.len - plus};
        if (sc_identifier_blocked(space, digits))
            return SC_IDENT_BLOCKED;
    }
    *out = (struct sc_identifier){.ns = ns, .value = value};
    make_tag(ps, ns, value, out->node.b);
    sc_prefetch(set_of(ps, out->node.b), sizeof(struct cache_set), 2);
    return SC_IDENT_OK;
}

void sc_identify_end(struct sc_pseudonyms *ps, struct sc_identifier *id)
{
    id->node = look_up(ps, id->ns, id->value, id->node.b);
}

enum sc_ident sc_identify(struct sc_pseudonyms *ps, uint8_t ns, struct sc_str raw,
                          struct sc_arena *ar, struct sc_identifier *out)
{
    enum sc_ident is = sc_identify_begin(ps, ns, raw, ar, out);
    if (is == SC_IDENT_OK)
        sc_identify_end(ps, out);
    return is;
}
