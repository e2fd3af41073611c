#include "wants.h"

#include "base/arena.h"
#include "base/vec.h"
#include "codec/want.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const char *path_steps(struct sc_arena *ar, const char *p, struct sc_path *path)
{
    SC_VEC(struct sc_step) steps = {0};
    const char *start = p;
    cr_assert_eq(*p, '$');
    for (p++; *p == '.' || *p == '[';) {
        struct sc_step *s = SC_VEC_ADD(ar, &steps);
        if (*p == '.') {
            size_t n = strcspn(++p, ".[ )");
            *s = (struct sc_step){.kind = SC_STEP_FIELD, .name = {p, n}};
            p += n;
        } else if (p[1] == '*') {
            s->kind = SC_STEP_ALL;
            p += 3;
        } else {
            *s = (struct sc_step){.kind = SC_STEP_INDEX,
                                  .index = (uint32_t)strtoul(p + 1, NULL, 10)};
            p = strchr(p, ']') + 1;
        }
    }
    *path = (struct sc_path){steps.v, steps.n, {start, (size_t)(p - start)}};
    return p;
}

struct sc_projection wants(struct sc_arena *ar, const char *paths)
{
    static const struct { const char *name; enum sc_map_op op; } ops[] = {
        {"count(", SC_MAP_COUNT}, {"sum(", SC_MAP_SUM}, {"min(", SC_MAP_MIN}, {"max(", SC_MAP_MAX},
        {"first(", SC_MAP_FIRST}, {"any(", SC_MAP_ANY}, {"text(", SC_MAP_PATH},
    };
    SC_VEC(struct sc_want) list = {0};
    for (const char *p = paths; *p;) {
        struct sc_want *w = SC_VEC_ADD(ar, &list);
        w->op = SC_MAP_PATH;
        w->text = strncmp(p, "text(", 5) == 0;
        for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
            if (strncmp(p, ops[i].name, strlen(ops[i].name)) == 0) {
                w->op = ops[i].op;
                p += strlen(ops[i].name);
                break;
            }
        p = path_steps(ar, p, &w->path);
        p += strspn(p, ") ");
    }
    return (struct sc_projection){list.v, list.n};
}

static void text_put(struct sc_buf *b, struct sc_value v);

static void text_items(struct sc_buf *b, struct sc_value v)
{
    bool map = v.type == SC_T_MAP;
    sc_buf_char(b, map ? '{' : '[');
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            sc_buf_char(b, ',');
        if (map) {
            text_put(b, v.map[2 * i]);
            sc_buf_char(b, ':');
        }
        text_put(b, map ? v.map[2 * i + 1] : v.list[i]);
    }
    sc_buf_char(b, map ? '}' : ']');
}

static void text_put(struct sc_buf *b, struct sc_value v)
{
    char digits[24];
    switch ((enum sc_type)v.type) {
    case SC_T_ABSENT: sc_buf_addz(b, "absent"); break;
    case SC_T_NULL: sc_buf_addz(b, "null"); break;
    case SC_T_BOOL: sc_buf_addz(b, v.i ? "true" : "false"); break;
    case SC_T_INT: sc_buf_addf(b, "%lld", (long long)v.i); break;
    case SC_T_UINT: sc_buf_addf(b, "%lluu", (unsigned long long)v.u); break;
    case SC_T_DOUBLE: sc_buf_addf(b, "%.17gf", v.d); break;
    case SC_T_DECIMAL:
        sc_buf_add(b, digits, sc_decimal_format(sc_value_decimal(v), digits));
        sc_buf_char(b, 'd');
        break;
    case SC_T_STRING: sc_buf_addf(b, "\"%.*s\"", (int)v.len, v.s); break;
    case SC_T_BYTES:
        sc_buf_addz(b, "bytes:");
        for (uint32_t i = 0; i < v.len; i++)
            sc_buf_addf(b, "%02x", (unsigned char)v.s[i]);
        break;
    case SC_T_TIMESTAMP: sc_buf_addf(b, "time:%lld+%u", (long long)v.i, v.len); break;
    case SC_T_DURATION: sc_buf_addf(b, "duration:%lld+%u", (long long)v.i, v.len); break;
    case SC_T_LIST:
    case SC_T_MAP: text_items(b, v); break;
    case SC_T_TYPE:
    case SC_T_ERROR: cr_assert_fail("no decoder makes type %u", v.type);
    }
}

const char *value_text(struct sc_arena *ar, struct sc_value v)
{
    struct sc_buf b = {0};
    text_put(&b, v);
    const char *z = sc_arena_dup(ar, b.p, b.len);
    sc_buf_fini(&b);
    return z;
}

static const char *const labels[] = {
#define LABEL(name, label, stage, dead, text) label,
    SC_DROP_TABLE(LABEL)
#undef LABEL
};

const char *decode_text(const struct sc_decoder *d, struct sc_str body, struct sc_arena *ar)
{
    /* exactly sized copy: the address sanitizer then sees a read past the end */
    char *exact = malloc(body.len ? body.len : 1);
    if (body.len)
        memcpy(exact, body.p, body.len);
    struct sc_value slots[SC_WANTS_MAX];
    struct sc_fault fault = {0};
    struct sc_buf b = {0};
    uint32_t n = d->tree->n_slots;
    enum sc_drop drop = sc_decode(d, (struct sc_str){exact, body.len}, ar, slots, &fault);
    if (drop != SC_DROP_NONE) {
        cr_assert_eq(fault.drop, drop);
        cr_assert_neq(fault.text[0], '\0');
        sc_buf_addf(&b, "!%s %.*s", labels[drop], SC_STR_FMT(fault.path));
    }
    for (uint32_t i = 0; drop == SC_DROP_NONE && i < n; i++) {
        if (i)
            sc_buf_char(&b, ' ');
        text_put(&b, slots[i]);
    }
    const char *z = sc_arena_dup(ar, b.p ? b.p : "", b.len);
    sc_buf_fini(&b);
    free(exact);
    return z;
}

uint64_t rng_next(struct rng *r)
{
    r->s ^= r->s >> 12;
    r->s ^= r->s << 25;
    r->s ^= r->s >> 27;
    return r->s * UINT64_C(0x2545F4914F6CDD1D);
}

unsigned rng_below(struct rng *r, unsigned below)
{
    return (unsigned)((rng_next(r) >> 33) % below);
}

struct sc_str from_hex(struct sc_arena *ar, const char *hex)
{
    char *out = sc_arena_alloc(ar, strlen(hex) / 2 + 1);
    size_t n = 0;
    for (const char *p = hex; *p;) {
        unsigned byte;
        p += strspn(p, " \n");
        if (*p == '\0')
            break;
        cr_assert_eq(sscanf(p, "%2x", &byte), 1, "not hex: %s", p);
        out[n++] = (char)byte;
        p += 2;
    }
    return (struct sc_str){out, n};
}
