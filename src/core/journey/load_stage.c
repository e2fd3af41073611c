/* Tracks, stages, milestones, and the grammar of silences. */
#include "core/journey/load.h"
#include "base/assert.h"
#include "base/hash.h"

#define AFTER_MS_MAX (INT64_C(3650) * SC_DAY_MS) /* as `target`, `expires` and the like */

/* ---- silences: `90d without [a, b where event.x > 1]` */

struct slice { /* of a silence's text, which knows where it stands */
    const struct sc_node *at;
    struct sc_str text; /* whole */
    uint32_t off, len;
};

static struct sc_str slice_str(struct slice s)
{
    return (struct sc_str){s.text.p + s.off, s.len};
}

static struct sc_mark slice_mark(struct slice s)
{
    return sc_mark_at(s.at->mark, s.off, s.len > 0 ? s.len : 1);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && is_space(s.text.p[s.off])) {
        ++s.off;
        --s.len;
    }
    while (s.len > 0 && is_space(s.text.p[s.off + s.len - 1]))
        --s.len;
    return s;
}

/* Take the first word off `s` (up to white space or `[`); what is left is trimmed. */
static struct slice take_word(struct slice *s)
{
    struct slice word = *s;
    word.len = 0;
    while (word.len < s->len && !is_space(s->text.p[s->off + word.len]) &&
           s->text.p[s->off + word.len] != '[')
        ++word.len;
    s->off += word.len;
    s->len -= word.len;
    *s = slice_trim(*s);
    return word;
}

/* Take what stands before the next comma outside brackets and quotes. */
static struct slice take_item(struct slice *s)
{
    struct slice item = *s;
    uint32_t depth = 0, i = 0;
    char quote = 0;
    for (; i < s->len; ++i) {
        char c = s->text.p[s->off + i];
        if (quote != 0) {
            if (c == '\\')
                ++i;
            else if (c == quote)
                quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '(' || c == '[' || c == '{') {
            ++depth;
        } else if ((c == ')' || c == ']' || c == '}') && depth > 0) {
            --depth;
        } else if (c == ',' && depth == 0) {
            break;
        }
    }
    item.len = i < s->len ? i : s->len;
    uint32_t taken = i < s->len ? i + 1 : s->len;
    s->off += taken;
    s->len -= taken;
    return slice_trim(item);
}

/* `order_completed where event.total > 0.0` */
static bool read_exit(struct load *ld, struct slice item, struct sc_exit *out)
{
    struct slice name = take_word(&item);
    int event = load_event(ld, slice_str(name), slice_mark(name));
    if (item.len == 0) {
        *out = (struct sc_exit){(uint16_t)(event < 0 ? 0 : event), NULL};
        return event >= 0;
    }
    struct slice word = take_word(&item);
    if (!sc_str_eqz(slice_str(word), "where") || item.len == 0) {
        sc_diag_add(ld->dg, SC_ERROR, "bad-silence", slice_mark(word),
                    "expected `where` and an expression, or a comma, behind the event");
        return false;
    }
    if (event < 0)
        return false;
    struct sc_rule_opts opts = {.use = SC_USE_WHERE, .only_event = event};
    const struct sc_prog *where =
        sc_rule_compile(ld->sp, slice_str(item), slice_mark(item), opts);
    *out = (struct sc_exit){(uint16_t)event, where};
    return where != NULL;
}

static bool read_exits(struct load *ld, struct slice list, struct load_silence *out)
{
    bool many = list.len > 0 && list.text.p[list.off] == '[';
    if (many) {
        if (list.text.p[list.off + list.len - 1] != ']') {
            sc_diag_add(ld->dg, SC_ERROR, "bad-silence", slice_mark(list),
                        "the list of events has no `]` at its end");
            return false;
        }
        ++list.off;
        list.len -= 2;
        list = slice_trim(list);
    }
    if (list.len == 0) {
        sc_diag_add(ld->dg, SC_ERROR, "bad-silence", slice_mark(list),
                    "`without` names no event");
        return false;
    }
    bool ok = true;
    SC_VEC(struct sc_exit) exits = {0};
    while (list.len > 0) {
        struct sc_exit one;
        if (read_exit(ld, take_item(&list), &one))
            SC_VEC_PUSH(ld->ar, &exits, one);
        else
            ok = false;
    }
    out->without = exits.v;
    out->n_without = exits.n;
    return ok;
}

bool load_silence(struct load *ld, struct sc_str text, const struct sc_node *at,
                  struct load_silence *out)
{
    SC_ASSERT(text.len < UINT32_MAX);
    *out = (struct load_silence){0};
    if (!load_given(at))
        return false;
    struct slice rest = slice_trim((struct slice){at, text, 0, (uint32_t)text.len});
    struct slice word = take_word(&rest);
    if (!sc_duration_parse(slice_str(word), &out->after_ms) || out->after_ms <= 0) {
        struct sc_finding *f =
            sc_diag_add(ld->dg, SC_ERROR, "bad-silence", slice_mark(word),
                        "'%.*s' is no duration to wait", SC_STR_FMT(slice_str(word)));
        f->hint = SC_STR("write `1h without [order_completed]`");
        return false;
    }
    if (out->after_ms > AFTER_MS_MAX) {
        struct sc_finding *f =
            sc_diag_add(ld->dg, SC_ERROR, "bad-silence", slice_mark(word),
                        "'%.*s' is too long to wait", SC_STR_FMT(slice_str(word)));
        f->hint = SC_STR("at most 3650d");
        return false;
    }
    if (rest.len == 0)
        return true;
    word = take_word(&rest);
    if (!sc_str_eqz(slice_str(word), "without")) {
        sc_diag_add(ld->dg, SC_ERROR, "bad-silence", slice_mark(word),
                    "expected `without` behind the duration");
        return false;
    }
    return read_exits(ld, rest, out);
}

/* ---- stages */

#define NO_STAGE_NAME "customer"

static void take_stages(struct load *ld, const struct sc_list *list)
{
    const struct doc_stage *doc = list->v;
    uint32_t room = SC_STAGES_MAX - ld->jo->n_stages, n = list->n < room ? list->n : room;
    for (uint32_t i = n; i < list->n; ++i)
        sc_over_add(&ld->stages_over, doc[i].at->mark);
    for (uint32_t i = 0; i < n; ++i) {
        ld->stages[ld->jo->n_stages] = &doc[i];
        ld->stage_names[ld->jo->n_stages++] = doc[i].name;
    }
}

/* One more track, of the stages taken since `first`. */
static void add_track(struct load *ld, struct sc_str name, struct sc_node *at, uint32_t first)
{
    struct sc_journey *jo = ld->jo;
    uint32_t n = jo->n_stages - first, t = jo->n_tracks++;
    SC_ASSERT(t < SC_TRACKS_MAX);
    jo->tracks[t] = (struct sc_track){.name = name, .hash = sc_hash_name(name),
                                      .first = (uint16_t)first, .n = (uint16_t)n, .at = at};
    for (uint32_t s = first; s < first + n; ++s)
        jo->tracks[t].stages |= UINT64_C(1) << s;
    struct sc_scope_track *scope = SC_VEC_ADD(ld->ar, &ld->scope_tracks);
    *scope = (struct sc_scope_track){name, ld->stage_names + first, n};
    ld->sp->tracks = ld->scope_tracks.v;
    ld->sp->n_tracks = ld->scope_tracks.n;
}

static bool track_ok(struct load *ld, const struct doc_track *doc)
{
    static const char *const taken[] = {"stage", "persona", "timezone", "language", "channel"};
    if (!load_name_ok(ld, doc->name, load_mark(doc->at), "track"))
        return false;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); ++i) {
        if (!sc_str_eqz(doc->name, taken[i]))
            continue;
        sc_diag_add(ld->dg, SC_ERROR, "bad-name", load_mark(doc->at),
                    "a track cannot be named '%s': customer.%s is something else", taken[i],
                    taken[i]);
        return false;
    }
    if (doc->stages.n == 0)
        sc_diag_add(ld->dg, SC_ERROR, "no-stage", load_mark(doc->at), "track '%.*s' has no stage",
                    SC_STR_FMT(doc->name));
    return doc->stages.n > 0;
}

/* Before facts and rules: they may speak of stages and tracks. */
void load_tracks(struct load *ld)
{
    struct sc_journey *jo = ld->jo;
    const struct doc_track *doc = ld->doc->tracks.v;
    uint32_t n = ld->doc->tracks.n;
    struct sc_over tracks_over = {0};
    jo->tracks = SC_NEW_N(ld->ar, struct sc_track, SC_TRACKS_MAX);
    ld->stage_names = SC_NEW_N(ld->ar, struct sc_str, SC_STAGES_MAX);
    ld->stages = SC_NEW_N(ld->ar, const struct doc_stage *, SC_STAGES_MAX);
    take_stages(ld, &ld->doc->stages);
    if (jo->n_stages > 0)
        add_track(ld, SC_STR_NULL, NULL, 0);
    for (uint32_t i = 0; i < n; ++i) {
        if (jo->n_tracks == SC_TRACKS_MAX) {
            sc_over_add(&tracks_over, load_mark(doc[i].at));
            continue;
        }
        uint32_t first = jo->n_stages;
        if (!track_ok(ld, &doc[i]))
            continue;
        take_stages(ld, &doc[i].stages);
        if (jo->n_stages > first)
            add_track(ld, doc[i].name, doc[i].at, first);
    }
    sc_diag_over(ld->dg, &tracks_over, "a journey has", SC_TRACKS_MAX, "tracks");
    sc_diag_over(ld->dg, &ld->stages_over, "a journey has", SC_STAGES_MAX, "stages");
    if (jo->n_tracks > 0)
        return;
    ld->stage_names[jo->n_stages++] = SC_STR(NO_STAGE_NAME);
    add_track(ld, SC_STR_NULL, NULL, 0);
}

static void stage_entry(struct load *ld, const struct doc_stage *doc, struct sc_stage *st)
{
    if (doc->when_at != NULL && doc->after_at != NULL)
        sc_diag_add(ld->dg, SC_ERROR, "two-ways", doc->after_at->mark,
                    "stage '%.*s' has `when` and `after`: a lapse is a stage of its own",
                    SC_STR_FMT(doc->name));
    if (doc->when_at != NULL)
        st->when = load_rule(ld, doc->when, doc->when_at);
    if (doc->after_at == NULL)
        return;
    struct load_silence silence;
    if (!load_silence(ld, doc->after, doc->after_at, &silence))
        return;
    if (silence.n_without == 0)
        sc_diag_add(ld->dg, SC_ERROR, "bad-silence", doc->after_at->mark,
                    "a lapse needs `without` and the events that end its silence");
    st->after_ms = silence.after_ms;
    st->without = silence.without;
    st->n_without = silence.n_without;
}

/* `*`: every stage of the track. */
static void stage_from(struct load *ld, const struct doc_stage *doc, struct sc_stage *st)
{
    uint64_t own = ld->jo->tracks[st->track].stages;
    st->from = load_stages(ld, &doc->from, doc->from_at);
    if (st->from != UINT64_MAX && (st->from & ~own) != 0)
        sc_diag_add(ld->dg, SC_ERROR, "other-track", doc->from_at->mark,
                    "`from` names a stage of another track: tracks are walked each by itself");
    st->from &= own;
}

static void stage_load(struct load *ld, const struct doc_stage *doc, struct sc_stage *st)
{
    *st = (struct sc_stage){.name = doc->name, .hash = sc_hash_name(doc->name),
                            .track = st->track, .initial = doc->initial,
                            .target_ms = doc->target_ms, .at = doc->at};
    stage_entry(ld, doc, st);
    st->has_from = doc->from_at != NULL;
    if (st->has_from)
        stage_from(ld, doc, st);
    if (st->has_from && doc->when_at == NULL && doc->after_at == NULL)
        sc_diag_add(ld->dg, SC_ERROR, "no-entry", doc->from_at->mark,
                    "stage '%.*s' has `from` and neither `when` nor `after`",
                    SC_STR_FMT(doc->name));
}

static void find_initial(struct load *ld, struct sc_track *track)
{
    struct sc_journey *jo = ld->jo;
    int initial = -1;
    for (uint32_t i = track->first; i < (uint32_t)track->first + track->n; ++i) {
        if (!jo->stages[i].initial)
            continue;
        if (initial >= 0) {
            struct sc_finding *f =
                sc_diag_add(ld->dg, SC_ERROR, "two-initial", load_mark(jo->stages[i].at),
                            "'%.*s' is a second initial stage", SC_STR_FMT(jo->stages[i].name));
            f->decl = load_mark(jo->stages[initial].at);
        }
        initial = (int)i;
    }
    track->initial = (uint16_t)(initial < 0 ? track->first : initial);
    jo->stages[track->initial].initial = true;
}

void load_stages_section(struct load *ld)
{
    struct sc_journey *jo = ld->jo;
    SC_ASSERT(jo->n_tracks >= 1 && jo->n_stages >= 1);
    jo->stages = SC_NEW_N(ld->ar, struct sc_stage, jo->n_stages);
    if (ld->stages[0] == NULL)
        jo->stages[0] = (struct sc_stage){.name = ld->stage_names[0], .initial = true,
                                          .hash = sc_hash_name(ld->stage_names[0])};
    for (uint32_t t = 0; t < jo->n_tracks; ++t) {
        const struct sc_track *track = &jo->tracks[t];
        uint32_t end = (uint32_t)track->first + track->n;
        for (uint32_t i = track->first; i < end && ld->stages[i]; ++i) {
            jo->stages[i].track = (uint8_t)t;
            stage_load(ld, ld->stages[i], &jo->stages[i]);
        }
        find_initial(ld, &jo->tracks[t]);
    }
}

/* ---- milestones */

static struct sc_milestone milestone_of(struct sc_named_prog *np)
{
    const struct sc_rule_info *info = sc_rule_info(np->prog);
    bool ladder = info->ladder_fact >= 0 && info->ladder_n >= 1 && info->ladder_n <= 64;
    return (struct sc_milestone){.name = np->name, .hash = np->hash, .when = np->prog,
                                 .ladder_fact = ladder ? info->ladder_fact : -1,
                                 .ladder_n = ladder ? (uint32_t)info->ladder_n : 0, .stage = -1,
                                 .at = np->at};
}

void load_milestones(struct load *ld)
{
    struct sc_journey *jo = ld->jo;
    struct sc_rule_opts opts = {.use = SC_USE_RULE, .only_event = -1, .no_event = true};
    uint32_t n;
    struct sc_named_prog *named = load_named(ld, ld->doc->milestones, "milestone", opts, &n);
    jo->milestones = SC_NEW_N(ld->ar, struct sc_milestone, n + jo->n_stages);
    for (uint32_t i = 0; i < n; ++i)
        jo->milestones[jo->n_milestones++] = milestone_of(&named[i]);
    for (uint32_t i = 0; i < jo->n_stages; ++i) {
        const struct sc_stage *st = &jo->stages[i];
        if (st->target_ms == 0)
            continue;
        struct sc_str name = sc_str_printf(ld->ar, "overdue:%.*s", SC_STR_FMT(st->name));
        jo->milestones[jo->n_milestones++] =
            (struct sc_milestone){.name = name, .hash = sc_hash_name(name), .ladder_fact = -1,
                                  .overdue = true, .stage = (int16_t)i, .at = st->at};
    }
    if (jo->n_milestones > SC_MILESTONES_MAX)
        load_over(ld, jo->milestones[SC_MILESTONES_MAX].at, jo->n_milestones, SC_MILESTONES_MAX,
                  "milestones");
}
