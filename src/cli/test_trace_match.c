/* A trace that is expected against the one seen (test_trace.h). Both are instants with lines below
 * them; each expected instant is looked for behind the last one found. */
#include "cli/test_trace.h"

#include "base/assert.h"

struct seen_line {
    struct sc_str text;
    bool head, met; /* met: an expected line stands for it */
};

struct trace_match {
    const struct sc_test_case *tc;
    struct sc_arena *ar;
    struct sc_test_misses *out;
    struct seen_line *lines;
    uint32_t n;
};

static struct sc_str word_of(struct sc_str *s)
{
    size_t from = 0, to;
    while (from < s->len && (s->p[from] == ' ' || s->p[from] == '\t'))
        ++from;
    for (to = from; to < s->len && s->p[to] != ' ' && s->p[to] != '\t'; ++to)
        ;
    struct sc_str word = {s->p + from, to - from};
    *s = (struct sc_str){s->p + to, s->len - to};
    return word;
}

/* However many blanks stand between the words. */
static bool same_words(struct sc_str a, struct sc_str b)
{
    for (;;) {
        struct sc_str x = word_of(&a), y = word_of(&b);
        if (!sc_str_eq(x, y))
            return false;
        if (x.len == 0)
            return true;
    }
}

/* The same time and what happens there; an event's properties are the case's own. */
static bool same_instant(const struct trace_match *m, struct sc_str expected, struct sc_str seen)
{
    int64_t a_ms, b_ms;
    struct sc_str a, b;
    if (!sc_test_trace_time(expected, m->tc->start_ms, &a_ms, &a) ||
        !sc_test_trace_time(seen, m->tc->start_ms, &b_ms, &b) || a_ms != b_ms)
        return false;
    struct sc_str what = word_of(&a);
    return sc_str_eq(what, word_of(&b)) && (!sc_str_eqz(what, "timer") || same_words(a, b));
}

static void miss(const struct trace_match *m, const struct sc_node *at, const char *what,
                 struct sc_str expected, struct sc_str seen)
{
    struct sc_test_miss one = {what, expected.len ? expected : SC_STR("none"),
                               seen.len ? seen : SC_STR("none"), at->mark};
    SC_VEC_PUSH(m->ar, &m->out->v, one);
}

static uint32_t end_of(const struct trace_match *m, uint32_t head)
{
    uint32_t end = head + 1;
    while (end < m->n && !m->lines[end].head)
        ++end;
    return end;
}

static struct sc_str block_text(const struct trace_match *m, uint32_t head)
{
    struct sc_buf out = {.ar = m->ar};
    for (uint32_t i = head; i < m->n && i < end_of(m, head); ++i)
        sc_buf_addf(&out, "%s%.*s", i > head ? "\n" : "", SC_STR_FMT(m->lines[i].text));
    return sc_buf_view(&out);
}

/* The lines below an expected instant, in order among those of the seen one. */
static void match_block(const struct trace_match *m, uint32_t head, uint32_t from, uint32_t to)
{
    const struct sc_node *seq = m->tc->expect.trace;
    uint32_t at = head + 1, end = head < m->n ? end_of(m, head) : 0;
    for (uint32_t i = from; i < to; ++i) {
        uint32_t k = at;
        while (k < end && !same_words(seq->items[i]->text, m->lines[k].text))
            ++k;
        if (k < end) {
            m->lines[k].met = true;
            at = k + 1;
        } else {
            miss(m, seq->items[i], "trace", seq->items[i]->text, block_text(m, head));
        }
    }
}

static void match_instants(const struct trace_match *m)
{
    const struct sc_node *seq = m->tc->expect.trace;
    uint32_t from = 0;
    for (uint32_t i = 0; i < seq->n;) {
        uint32_t below = i + 1, head = from;
        while (below < seq->n && seq->items[below]->text.p[0] != '[')
            ++below;
        while (head < m->n &&
               !(m->lines[head].head && same_instant(m, seq->items[i]->text, m->lines[head].text)))
            ++head;
        match_block(m, head, i + 1, below);
        from = head < m->n ? head + 1 : from;
        i = below;
    }
}

/* Every decision about a message is one that the case says. */
static void match_messages(const struct trace_match *m)
{
    const struct sc_node *seq = m->tc->expect.trace;
    const struct sc_node *at = seq->n ? seq->items[seq->n - 1] : seq;
    uint32_t head = 0;
    for (uint32_t i = 0; i < m->n; ++i) {
        struct sc_str rest = m->lines[i].text;
        head = m->lines[i].head ? i : head;
        if (!m->lines[i].head && !m->lines[i].met && sc_str_eqz(word_of(&rest), "guard"))
            miss(m, at, "a message that the case does not have", SC_STR_NULL,
                 sc_str_printf(m->ar, "%.*s\n%.*s", SC_STR_FMT(m->lines[head].text),
                               SC_STR_FMT(m->lines[i].text)));
    }
}

void sc_test_trace_match(const struct sc_test_case *tc, struct sc_str trace, struct sc_arena *ar,
                         struct sc_test_misses *out)
{
    struct trace_match m = {.tc = tc, .ar = ar, .out = out};
    SC_ASSERT(tc->expect.trace != NULL);
    uint32_t room = 1;
    for (size_t i = 0; i < trace.len; ++i)
        room += trace.p[i] == '\n';
    m.lines = SC_NEW_N(ar, struct seen_line, room);
    while (trace.len) {
        const char *end = memchr(trace.p, '\n', trace.len);
        size_t n = end ? (size_t)(end - trace.p) : trace.len;
        if (n)
            m.lines[m.n++] = (struct seen_line){{trace.p, n}, trace.p[0] == '[', false};
        trace = (struct sc_str){trace.p + n + (end != NULL), trace.len - n - (end != NULL)};
    }
    match_instants(&m);
    match_messages(&m);
}
