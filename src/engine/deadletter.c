/* See deadletter.h. */
#include "engine/deadletter.h"

#define HEADERS_KEPT 64u
#define HEADERS_OURS 8u

static void add(struct sc_out *out, struct sc_header *hs, const char *name, struct sc_str value)
{
    hs[out->n_headers++] = (struct sc_header){sc_str_from(name), value};
}

/* Of what is too long. */
static size_t first_of(struct sc_str s)
{
    return s.len < SC_DEAD_LETTER_CUT ? s.len : SC_DEAD_LETTER_CUT;
}

enum sc_err sc_dead_letter(struct sc_worker *w, struct sc_str topic, const struct sc_msg *m,
                           enum sc_drop drop, const struct sc_fault *fault, struct sc_arena *ar)
{
    struct sc_header *hs = SC_NEW_N(ar, struct sc_header, HEADERS_KEPT + HEADERS_OURS);
    struct sc_out out = {.topic = SC_OUT_DEAD_LETTERS, .partition = -1, .key = m->key,
                         .value = m->value, .timestamp_ms = m->timestamp_ms, .headers = hs};
    struct sc_str text = sc_str_from(sc_drop_text(drop));
    if (fault && fault->text[0])
        text = sc_str_printf(ar, "%s: %s", sc_drop_text(drop), fault->text);
    out.n_headers = w->log->ops->headers(w->log, m, hs, HEADERS_KEPT);
    size_t beside = m->key.len; /* of the value */
    for (uint32_t i = 0; i < out.n_headers; i++)
        beside += hs[i].name.len + hs[i].value.len;
    bool cut = beside + m->value.len > SC_DEAD_LETTER_MAX;
    if (cut && beside > SC_DEAD_LETTER_MAX - SC_DEAD_LETTER_CUT) {
        out.n_headers = 0;
        out.key.len = first_of(m->key);
    }
    add(&out, hs, "__connect.errors.topic", topic);
    add(&out, hs, "__connect.errors.partition", sc_str_printf(ar, "%d", m->partition));
    add(&out, hs, "__connect.errors.offset", sc_str_printf(ar, "%lld", (long long)m->offset));
    add(&out, hs, "__connect.errors.stage", sc_str_from(sc_drop_stage(drop)));
    add(&out, hs, "__connect.errors.exception.message", text);
    add(&out, hs, "stagecoach.error.code", sc_str_from(sc_drop_label(drop)));
    if (fault && fault->path.len)
        add(&out, hs, "stagecoach.error.path", fault->path);
    if (cut) {
        add(&out, hs, "stagecoach.truncated", sc_str_printf(ar, "%zu", m->value.len));
        out.value.len = first_of(m->value);
    }
    sc_count(&w->txn.dead_letters, 1);
    sc_count(&w->txn.drops[drop], 1);
    return w->log->ops->produce(w->log, &out);
}
