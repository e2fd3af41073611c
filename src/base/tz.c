/* Time zones from TZif files (RFC 8536), with the footer's POSIX TZ rule past the table.
 *
 * Everything is one question: which stretch of constant offset holds an instant (stretch_at)? From
 * UTC that is the answer; from local time the stretches around are walked in order, and the first
 * one that has the local time, or begins after it, gives the instant: gaps and overlaps need no
 * case of their own. libc's localtime_r is not used: it knows one zone a process. */
#include "base/time.h"
#include "base/arena.h"
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX (256u << 10)
#define NAME_MAX_LEN 64
#define OFFSET_MAX (26 * 3600) /* RFC 8536 3.2: offsets lie within -25h..26h */
#define DAY_S INT64_C(86400)

enum change_kind {
    CHANGE_DAY0,   /* "n": day 0..365 */
    CHANGE_JULIAN, /* "Jn": day 1..365, February 29 never counted */
    CHANGE_WEEKDAY /* "Mm.w.d": weekday d (0 = Sunday) of week w of month m */
};

/* When a rule's change comes, in each year. */
struct change {
    enum change_kind kind;
    int32_t month, week, day;
    int32_t time; /* seconds after local midnight, may be negative or over a day */
};

struct rule {
    bool set, dst;
    int32_t std_off, dst_off; /* east positive */
    struct change start, end; /* of daylight time */
};

struct sc_tz {
    char name[NAME_MAX_LEN + 1];
    uint32_t n;       /* transitions */
    int64_t *at;      /* UTC seconds, ascending */
    int32_t *offset;  /* offset[i]: before at[i]; offset[n]: after the last */
    struct rule rule; /* for times from at[n-1] on, when set */
};

/* Offset constant within [from, to). */
struct stretch {
    int64_t from, to;
    int32_t offset;
};

/* --- POSIX TZ rule, as in a footer: "CET-1CEST,M3.5.0,M10.5.0/3" --- */

struct cursor {
    const char *p, *end;
};

static bool take(struct cursor *c, char want)
{
    if (c->p == c->end || *c->p != want)
        return false;
    ++c->p;
    return true;
}

static bool take_int(struct cursor *c, int32_t min, int32_t max, int32_t *out)
{
    const char *from = c->p;
    int32_t v = 0;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && v <= max)
        v = v * 10 + (*c->p++ - '0');
    *out = v;
    return c->p > from && v >= min && v <= max;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_hms(struct cursor *c, int32_t max_hours, int32_t *out)
{
    int32_t hours, minutes = 0, seconds = 0;
    bool negative = take(c, '-');
    if (!negative)
        take(c, '+');
    if (!take_int(c, 0, max_hours, &hours))
        return false;
    if (take(c, ':') && !take_int(c, 0, 59, &minutes))
        return false;
    if (take(c, ':') && !take_int(c, 0, 59, &seconds))
        return false;
    *out = (hours * 3600 + minutes * 60 + seconds) * (negative ? -1 : 1);
    return true;
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "CET" or "<+03>": only skipped. */
static bool take_name(struct cursor *c)
{
    const char *from = c->p;
    if (take(c, '<')) {
        while (c->p < c->end && *c->p != '>')
            ++c->p;
        return take(c, '>');
    }
    while (c->p < c->end && is_alpha(*c->p))
        ++c->p;
    return c->p - from >= 3;
}

static bool take_change(struct cursor *c, struct change *out)
{
    *out = (struct change){.kind = CHANGE_DAY0, .time = 2 * 3600};
    bool ok;
    if (take(c, 'M')) {
        out->kind = CHANGE_WEEKDAY;
        ok = take_int(c, 1, 12, &out->month) && take(c, '.') && take_int(c, 1, 5, &out->week) &&
             take(c, '.') && take_int(c, 0, 6, &out->day);
    } else if (take(c, 'J')) {
        out->kind = CHANGE_JULIAN;
        ok = take_int(c, 1, 365, &out->day);
    } else {
        ok = take_int(c, 0, 365, &out->day);
    }
    return ok && (!take(c, '/') || take_hms(c, 167, &out->time));
}

static bool rule_read(struct sc_str text, struct rule *out)
{
    struct cursor c = {text.p, text.p + text.len};
    int32_t west;
    *out = (struct rule){0};
    if (text.len == 0)
        return true; /* no rule: the last offset stays */
    if (!take_name(&c) || !take_hms(&c, 24, &west))
        return false;
    out->set = true;
    out->std_off = -west;
    if (c.p == c.end)
        return true;
    out->dst = true;
    out->dst_off = out->std_off + 3600;
    if (!take_name(&c))
        return false;
    if (c.p < c.end && *c.p != ',') {
        if (!take_hms(&c, 24, &west))
            return false;
        out->dst_off = -west;
    }
    return take(&c, ',') && take_change(&c, &out->start) && take(&c, ',') &&
           take_change(&c, &out->end) && c.p == c.end;
}

/* Local seconds, as if UTC, of a change in `year`. */
static int64_t change_at(const struct change *ch, int32_t year)
{
    int64_t new_year = sc_civil_days(year, 1, 1);
    int64_t day = 0;
    switch (ch->kind) {
    case CHANGE_DAY0:
        day = new_year + ch->day;
        break;
    case CHANGE_JULIAN: {
        bool leap = sc_civil_days(year + 1, 1, 1) - new_year == 366;
        day = new_year + ch->day - 1 + (leap && ch->day >= 60);
        break;
    }
    case CHANGE_WEEKDAY: {
        int64_t first = sc_civil_days(year, (unsigned)ch->month, 1);
        int64_t next = ch->month == 12 ? sc_civil_days(year + 1, 1, 1)
                                       : sc_civil_days(year, (unsigned)ch->month + 1, 1);
        int64_t weekday = (int64_t)(sc_civil_weekday(first * SC_DAY_MS) + 1) % 7; /* 0 = Sunday */
        day = first + (ch->day - weekday + 7) % 7 + (ch->week - 1) * 7;
        while (day >= next) /* week 5 means the last */
            day -= 7;
        break;
    }
    }
    return day * DAY_S + ch->time;
}

/* Narrow `s` by one change at `at`, to `after`: later calls win ties. */
static void stretch_cut(struct stretch *s, int64_t t, int64_t at, int32_t after)
{
    if (at <= t && at >= s->from) {
        s->from = at;
        s->offset = after;
    } else if (at > t && at < s->to) {
        s->to = at;
    }
}

/* Changes of five years surround any instant: one may stand eight days outside of its year, behind
 * the other one of the year after. */
static struct stretch rule_stretch(const struct rule *r, int64_t t)
{
    struct stretch s = {INT64_MIN, INT64_MAX, r->std_off};
    if (!r->dst)
        return s;
    struct sc_civil civil;
    sc_civil_from_ms(t * 1000, &civil);
    for (int32_t year = civil.year - 2; year <= civil.year + 2; ++year) {
        int64_t start = change_at(&r->start, year) - r->std_off;
        int64_t end = change_at(&r->end, year) - r->dst_off;
        if (start < end)
            stretch_cut(&s, t, start, r->dst_off);
        stretch_cut(&s, t, end, r->std_off);
        if (start >= end)
            stretch_cut(&s, t, start, r->dst_off);
    }
    return s;
}

static struct stretch stretch_at(const struct sc_tz *tz, int64_t t)
{
    uint32_t low = 0, high = tz->n; /* the number of transitions at or before t */
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (tz->at[mid] <= t)
            low = mid + 1;
        else
            high = mid;
    }
    int64_t from = low > 0 ? tz->at[low - 1] : INT64_MIN;
    if (low < tz->n)
        return (struct stretch){from, tz->at[low], tz->offset[low]};
    if (!tz->rule.set)
        return (struct stretch){from, INT64_MAX, tz->offset[low]};
    struct stretch s = rule_stretch(&tz->rule, t);
    s.from = s.from > from ? s.from : from;
    return s;
}

/* --- TZif --- */

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A header of 44 bytes and the block behind it, whose times are `width` bytes. */
struct block {
    uint32_t times, types;
    const unsigned char *at, *index, *type;
    size_t size; /* with the header */
};

static bool block_read(struct sc_str in, size_t width, struct block *out)
{
    const unsigned char *p = (const unsigned char *)in.p;
    if (in.len < 44 || memcmp(p, "TZif", 4) != 0)
        return false;
    uint32_t isut = be32(p + 20), isstd = be32(p + 24), leaps = be32(p + 28);
    uint32_t times = be32(p + 32), types = be32(p + 36), chars = be32(p + 40);
    uint32_t max = FILE_MAX;
    if (isut > max || isstd > max || times > max || types > 256 || chars > max)
        return false;
    if (leaps != 0 || types == 0) /* "right/" zones count leap seconds: not our time scale */
        return false;
    *out = (struct block){.times = times, .types = types, .at = p + 44};
    out->index = out->at + times * width;
    out->type = out->index + times;
    out->size = 44 + times * (width + 1) + types * (size_t)6 + chars + isstd + isut;
    return out->size <= in.len;
}

static struct sc_tz *tz_new(struct sc_str name, uint32_t transitions)
{
    SC_ASSERT(name.len <= NAME_MAX_LEN);
    struct sc_tz *tz = sc_calloc(1, sizeof(*tz));
    memcpy(tz->name, name.p, name.len);
    tz->n = transitions;
    tz->at = sc_calloc(transitions, sizeof(*tz->at));
    tz->offset = sc_calloc(transitions + 1, sizeof(*tz->offset));
    return tz;
}

static bool tz_fill(struct sc_tz *tz, const struct block *b, size_t width)
{
    for (uint32_t i = 0; i <= b->times; ++i) {
        uint32_t type = i == 0 ? 0 : b->index[i - 1]; /* RFC 8536 3.2: type 0 before the first */
        if (type >= b->types)
            return false;
        tz->offset[i] = (int32_t)be32(b->type + type * 6);
        if (tz->offset[i] < -OFFSET_MAX || tz->offset[i] > OFFSET_MAX)
            return false;
    }
    for (uint32_t i = 0; i < b->times; ++i) {
        const unsigned char *p = b->at + i * width;
        tz->at[i] =
            width == 4 ? (int32_t)be32(p) : (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
        if (i > 0 && tz->at[i] <= tz->at[i - 1])
            return false;
    }
    return true;
}

/* The footer: "\n" rule "\n" after the second block. */
static bool footer_read(struct sc_str in, struct rule *out)
{
    if (in.len < 2 || in.p[0] != '\n')
        return false;
    const char *end = memchr(in.p + 1, '\n', in.len - 1);
    return end != NULL && rule_read((struct sc_str){in.p + 1, (size_t)(end - in.p) - 1}, out);
}

struct sc_tz *sc_tz_read(struct sc_str name, struct sc_str tzif)
{
    struct block b;
    if (name.len > NAME_MAX_LEN || tzif.len > FILE_MAX || !block_read(tzif, 4, &b))
        return NULL;
    size_t width = 4;
    struct sc_str rest = SC_STR_NULL;
    if (tzif.p[4] != '\0') { /* version 2 on: the same again with 64-bit times, and a footer */
        width = 8;
        rest = (struct sc_str){tzif.p + b.size, tzif.len - b.size};
        if (!block_read(rest, 8, &b))
            return NULL;
        rest = (struct sc_str){rest.p + b.size, rest.len - b.size};
    }
    struct sc_tz *tz = tz_new(name, b.times);
    if (tz_fill(tz, &b, width) && (width == 4 || footer_read(rest, &tz->rule)))
        return tz;
    sc_tz_destroy(tz);
    return NULL;
}

static bool name_ok(struct sc_str name)
{
    if (name.len == 0 || name.len > NAME_MAX_LEN || name.p[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; ++i) {
        char c = name.p[i];
        if (!is_alpha(c) && !(c >= '0' && c <= '9') && memchr("_+-/", c, 4) == NULL)
            return false; /* no dots, so no ".." */
    }
    return true;
}

/* "+02:00" as seconds. */
static bool fixed_offset(struct sc_str name, int32_t *out)
{
    if (name.len != 6 || (name.p[0] != '+' && name.p[0] != '-') || name.p[3] != ':')
        return false;
    struct cursor c = {name.p, name.p + name.len};
    return take_hms(&c, 23, out) && c.p == c.end;
}

static struct sc_tz *file_load(struct sc_str name)
{
    const char *dir = getenv("TZDIR");
    char path[512];
    int n = snprintf(path, sizeof(path), "%s/%.*s", dir ? dir : "/usr/share/zoneinfo",
                     SC_STR_FMT(name));
    FILE *f = n < (int)sizeof(path) ? fopen(path, "rb") : NULL;
    if (f == NULL)
        return NULL;
    char *bytes = sc_malloc(FILE_MAX + 1);
    size_t len = fread(bytes, 1, FILE_MAX + 1, f); /* a directory reads as nothing */
    fclose(f);
    struct sc_tz *tz = sc_tz_read(name, (struct sc_str){bytes, len});
    free(bytes);
    return tz;
}

struct sc_tz *sc_tz_load(struct sc_str name)
{
    int32_t offset = 0;
    if (sc_str_eqz(name, "UTC") || fixed_offset(name, &offset)) {
        struct sc_tz *tz = tz_new(name, 0);
        tz->offset[0] = offset;
        return tz;
    }
    return name_ok(name) ? file_load(name) : NULL;
}

void sc_tz_destroy(struct sc_tz *tz)
{
    if (tz == NULL)
        return;
    free(tz->at);
    free(tz->offset);
    free(tz);
}

struct sc_str sc_tz_name(const struct sc_tz *tz)
{
    return sc_str_from(tz->name);
}

static int64_t floor_seconds(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

int64_t sc_tz_offset_ms(const struct sc_tz *tz, int64_t utc_ms)
{
    return stretch_at(tz, floor_seconds(utc_ms)).offset * SC_SECOND_MS;
}

int64_t sc_tz_to_local(const struct sc_tz *tz, int64_t utc_ms)
{
    return utc_ms + sc_tz_offset_ms(tz, utc_ms);
}

int64_t sc_tz_from_local(const struct sc_tz *tz, int64_t local_ms)
{
    int64_t local = floor_seconds(local_ms);
    int64_t rest = local_ms - local * SC_SECOND_MS;
    struct stretch s = stretch_at(tz, local - OFFSET_MAX); /* no later instant than the answer */
    while (s.to != INT64_MAX && local >= s.to + s.offset)
        s = stretch_at(tz, s.to);
    if (s.from != INT64_MIN && local < s.from + s.offset)
        return s.from * SC_SECOND_MS; /* in the gap before this stretch */
    return (local - s.offset) * SC_SECOND_MS + rest;
}
