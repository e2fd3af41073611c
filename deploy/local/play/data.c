/* Read demo.d: rows of comma-separated words without quotes, gzipped. The files are ours and
 * checked here only as far as a broken checkout could break them: a wrong row ends the program with
 * its place. */
#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#define ROW_BYTES (64 * 1024) /* the longest basket has 4 KB */
#define COLUMNS_MAX 10

struct reader {
    gzFile file;
    char path[4096];
    unsigned line;
    char row[ROW_BYTES];
    char *column[COLUMNS_MAX];
};

struct play_event *play_event_add(struct play *pl, enum play_source source, int64_t at_ms,
                                  const char *name)
{
    if (pl->count == pl->room) {
        pl->room = pl->room ? pl->room * 2 : 1024;
        pl->events = sc_realloc(pl->events, pl->room * sizeof(*pl->events));
    }
    if (source != PLAY_WEB) /* tills and the support desk keep time to the second */
        at_ms -= at_ms % 1000;
    struct play_event *ev = &pl->events[pl->count];
    *ev = (struct play_event){
        .at_ms = at_ms, .source = source, .name = name, .cents = -1, .seq = (uint32_t)pl->count};
    pl->count++;
    return ev;
}

static _Noreturn void wrong(const struct reader *rd, const char *what)
{
    fprintf(stderr, "stagecoach-play: %s:%u: %s\n", rd->path, rd->line, what);
    exit(65);
}

static bool reader_open(struct reader *rd, const char *dir, const char *name)
{
    snprintf(rd->path, sizeof(rd->path), "%s/%s", dir, name);
    rd->line = 1;
    rd->file = gzopen(rd->path, "rb");
    if (!rd->file || !gzgets(rd->file, rd->row, ROW_BYTES)) { /* the header */
        fprintf(stderr, "stagecoach-play: cannot read %s\n", rd->path);
        if (rd->file)
            gzclose(rd->file);
        return false;
    }
    return true;
}

/* The next row, split into exactly `columns`. False at the end, when the file is closed. */
static bool reader_next(struct reader *rd, int columns)
{
    if (!gzgets(rd->file, rd->row, ROW_BYTES)) {
        int err = Z_OK;
        gzerror(rd->file, &err);
        if (err != Z_OK && err != Z_STREAM_END)
            wrong(rd, "the file is damaged");
        gzclose(rd->file);
        return false;
    }
    rd->line++;
    rd->row[strcspn(rd->row, "\n")] = '\0';
    char *at = rd->row;
    for (int i = 0; i < columns; i++) {
        rd->column[i] = strsep(&at, ",");
        if (!rd->column[i])
            wrong(rd, "too few columns");
    }
    if (at)
        wrong(rd, "too many columns");
    return true;
}

/* A day, or a time in UTC to the second or millisecond; a day means its noon. */
static int64_t read_time(const struct reader *rd, const char *text)
{
    struct tm tm = {.tm_hour = 12};
    int ms = 0;
    int got = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                     &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms);
    if (got != 3 && got < 6)
        wrong(rd, "not a time");
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * 1000 + ms;
}

static int64_t read_number(const struct reader *rd, const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end)
        wrong(rd, "not a number");
    return value;
}

static char *keep(struct play *pl, const char *text)
{
    return sc_arena_dup(&pl->ar, text, strlen(text));
}

/* The household of a row, with identifiers made up from its number. */
static struct play_household *read_household(struct play *pl, const struct reader *rd,
                                             const char *text)
{
    int64_t id = read_number(rd, text);
    if (id < 1 || id >= PLAY_HOUSEHOLDS)
        wrong(rd, "household out of range");
    struct play_household *hh = &pl->households[id];
    if (!hh->card) {
        hh->card = sc_arena_printf(&pl->ar, "29%08d", (int)id);
        hh->email = sc_arena_printf(&pl->ar, "household%d@example.org", (int)id);
        hh->phone = sc_arena_printf(&pl->ar, "+1513555%04d", (int)id);
    }
    return hh;
}

static size_t count_items(const char *text)
{
    size_t n = *text != '\0';
    for (; *text; text++)
        n += *text == ';';
    return n;
}

/* `sku:group:cents` of a page, or `sku:group:quantity:cents:discount` of a receipt, with `;`
 * between. */
static const struct play_item *read_items(struct play *pl, const struct reader *rd, char *text,
                                          size_t *count)
{
    *count = count_items(text);
    struct play_item *items = SC_NEW_N(&pl->ar, struct play_item, *count);
    for (size_t i = 0; i < *count; i++) {
        char *one = strsep(&text, ";");
        char *word[5] = {NULL};
        int n = 0;
        while (n < 5 && (word[n] = strsep(&one, ":")))
            n++;
        if (one || (n != 3 && n != 5))
            wrong(rd, "not an item");
        items[i] = (struct play_item){
            .sku = keep(pl, word[0]),
            .group = keep(pl, word[1]),
            .quantity = n == 5 ? (uint32_t)read_number(rd, word[2]) : 1,
            .cents = read_number(rd, word[n == 5 ? 3 : 2]),
            .discount_cents = n == 5 ? read_number(rd, word[4]) : 0,
        };
    }
    return items;
}

static bool read_receipts(struct play *pl, struct reader *rd, const char *dir)
{
    if (!reader_open(rd, dir, "receipts.csv.gz"))
        return false;
    while (reader_next(rd, 5)) {
        struct play_household *hh = read_household(pl, rd, rd->column[2]);
        struct play_event *ev =
            play_event_add(pl, PLAY_POS, read_time(rd, rd->column[0]), "order_completed");
        if (!hh->first_ms)
            hh->first_ms = ev->at_ms; /* the file is in order of time */
        ev->kind = PLAY_SALE;
        ev->id = keep(pl, rd->column[1]);
        ev->card = hh->card;
        ev->household = hh;
        ev->store = keep(pl, rd->column[3]);
        ev->items = read_items(pl, rd, rd->column[4], &ev->item_count);
        ev->cents = 0;
        for (size_t i = 0; i < ev->item_count; i++)
            ev->cents += ev->items[i].cents;
    }
    return true;
}

static bool read_mailings(struct play *pl, struct reader *rd, const char *dir)
{
    if (!reader_open(rd, dir, "mailings.csv.gz"))
        return false;
    while (reader_next(rd, 4)) {
        struct play_household *hh = read_household(pl, rd, rd->column[1]);
        hh->mailed = true;
        struct play_event *ev =
            play_event_add(pl, PLAY_WEB, read_time(rd, rd->column[0]), "campaign_mailed");
        ev->id = sc_arena_printf(&pl->ar, "mail-%s-%s", rd->column[2], rd->column[1]);
        ev->email = hh->email;
        ev->campaign = keep(pl, rd->column[2]);
        ev->campaign_type = keep(pl, rd->column[3]);
    }
    return true;
}

static bool read_redemptions(struct play *pl, struct reader *rd, const char *dir)
{
    if (!reader_open(rd, dir, "redemptions.csv.gz"))
        return false;
    while (reader_next(rd, 4)) {
        /* Only the day is known: five in the afternoon. */
        int64_t at_ms = read_time(rd, rd->column[0]) + 5 * 3600 * 1000;
        struct play_household *hh = read_household(pl, rd, rd->column[1]);
        struct play_event *ev = play_event_add(pl, PLAY_POS, at_ms, "coupon_redeemed");
        ev->kind = PLAY_COUPON;
        ev->id =
            sc_arena_printf(&pl->ar, "coupon-%s-%s-%u", rd->column[1], rd->column[2], rd->line);
        ev->card = hh->card;
        ev->coupon = keep(pl, rd->column[2]);
        ev->campaign = keep(pl, rd->column[3]);
    }
    return true;
}

static int64_t read_cents(const struct reader *rd, const char *text)
{
    return *text ? read_number(rd, text) : -1;
}

static bool read_clicks(struct play *pl, struct reader *rd, const char *dir)
{
    size_t room = 1024;
    if (!reader_open(rd, dir, "clicks.csv.gz"))
        return false;
    pl->clicks = sc_malloc(room * sizeof(*pl->clicks));
    while (reader_next(rd, 10)) {
        if (pl->click_count == room) {
            room *= 2;
            pl->clicks = sc_realloc(pl->clicks, room * sizeof(*pl->clicks));
        }
        struct play_click *cl = &pl->clicks[pl->click_count++];
        *cl = (struct play_click){
            .at_ms = read_time(rd, rd->column[0]),
            .id = keep(pl, rd->column[1]),
            .device = *rd->column[2] ? keep(pl, rd->column[2]) : NULL,
            .session = keep(pl, rd->column[3]),
            .action = keep(pl, rd->column[4]),
            .page = keep(pl, rd->column[5]),
            .cart_cents = read_cents(rd, rd->column[6]),
            .order = *rd->column[7] ? keep(pl, rd->column[7]) : NULL,
            .order_cents = read_cents(rd, rd->column[8]),
        };
        cl->items = read_items(pl, rd, rd->column[9], &cl->item_count);
    }
    return true;
}

bool play_data_read(struct play *pl, const char *dir)
{
    struct reader *rd = sc_malloc(sizeof(*rd));
    bool ok = read_receipts(pl, rd, dir) && read_mailings(pl, rd, dir) &&
              read_redemptions(pl, rd, dir) && read_clicks(pl, rd, dir);
    free(rd);
    return ok;
}
