/* See report.h. The page is a file of the source tree, built in; here its data. */
#include "cli/report.h"

#include "base/assert.h"
#include "base/jsonw.h"
#include "core/journey/effects.h"
#include "report_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_MARK "@DATA@"
#define DAY_MS INT64_C(86400000)

static void key_str(struct sc_jsonw *w, const char *key, struct sc_str text)
{
    sc_jsonw_keyz(w, key);
    sc_jsonw_str(w, text);
}

static void put_stages(const struct sc_journey *jo, struct sc_jsonw *w)
{
    sc_jsonw_keyz(w, "stages");
    sc_jsonw_arr(w);
    for (uint32_t s = 0; s < jo->n_stages; s++) {
        sc_jsonw_obj(w);
        key_str(w, "name", jo->stages[s].name);
        key_str(w, "track", jo->tracks[jo->stages[s].track].name);
        sc_jsonw_keyz(w, "lapse");
        sc_jsonw_bool(w, jo->stages[s].after_ms > 0);
        sc_jsonw_keyz(w, "target_ms");
        sc_jsonw_int(w, jo->stages[s].target_ms);
        sc_jsonw_obj_end(w);
    }
    sc_jsonw_arr_end(w);
}

/* Names in the order of their declaration. */
static void put_names(const struct sc_journey *jo, struct sc_jsonw *w, const char *key, uint32_t n,
                      enum sc_key_kind kind)
{
    sc_jsonw_keyz(w, key);
    sc_jsonw_arr(w);
    for (uint32_t i = 0; i < n; i++)
        sc_jsonw_str(w, sc_key_text(jo, kind, (int32_t)i, NULL));
    sc_jsonw_arr_end(w);
}

static void put_row(const struct sc_report *rp, const struct sc_cell *cell, struct sc_arena *ar,
                    struct sc_jsonw *w)
{
    const struct sc_metric_info *mi = sc_metric_info((enum sc_metric)cell->metric);
    sc_jsonw_arr(w);
    sc_jsonw_int(w, cell->start_ms / DAY_MS);
    sc_jsonw_int(w, cell->count);
    sc_jsonw_raw(w, sc_sum_text(rp->jo, cell, ar));
    for (int k = 0; k < SC_KEYS_MAX && mi->keys[k] != SC_KEY_NONE; k++) {
        struct sc_str text = sc_key_text(rp->jo, mi->keys[k], cell->keys[k], ar);
        if (text.len)
            sc_jsonw_str(w, text);
        else
            sc_jsonw_null(w);
    }
    sc_jsonw_arr_end(w);
}

/* Cells by metric: day of the window's start, count, sum, keys. */
static void put_metrics(const struct sc_report *rp, struct sc_arena *ar, struct sc_jsonw *w)
{
    uint32_t n, at = 0;
    const struct sc_cell *cells = sc_cube_cells(rp->cube, ar, &n);
    sc_jsonw_keyz(w, "metrics");
    sc_jsonw_obj(w);
    while (at < n) {
        uint8_t metric = cells[at].metric;
        const struct sc_metric_info *mi = sc_metric_info((enum sc_metric)metric);
        sc_jsonw_keyz(w, mi->name);
        sc_jsonw_obj(w);
        sc_jsonw_keyz(w, "keys");
        sc_jsonw_arr(w);
        for (int k = 0; k < SC_KEYS_MAX && mi->keys[k] != SC_KEY_NONE; k++)
            sc_jsonw_strz(w, sc_key_name(mi->keys[k]));
        sc_jsonw_arr_end(w);
        sc_jsonw_keyz(w, "rows");
        sc_jsonw_arr(w);
        for (; at < n && cells[at].metric == metric; at++)
            put_row(rp, &cells[at], ar, w);
        sc_jsonw_arr_end(w);
        sc_jsonw_obj_end(w);
    }
    sc_jsonw_obj_end(w);
}

static void put_data(const struct sc_report *rp, struct sc_arena *ar, struct sc_buf *out)
{
    const struct sc_journey *jo = rp->jo;
    struct sc_jsonw w;
    sc_jsonw_init(&w, out);
    sc_jsonw_obj(&w);
    key_str(&w, "journey", jo->name);
    key_str(&w, "taxonomy", sc_str_printf(ar, "%.*s %.*s", SC_STR_FMT(jo->tx->name),
                                          SC_STR_FMT(jo->tx->version)));
    sc_jsonw_keyz(&w, "files");
    sc_jsonw_arr(&w);
    for (int i = 0; i < rp->n_files; i++)
        sc_jsonw_strz(&w, rp->files[i]);
    sc_jsonw_arr_end(&w);
    sc_jsonw_keyz(&w, "summary");
    sc_jsonw_raw(&w, rp->summary);
    put_stages(jo, &w);
    put_names(jo, &w, "milestones", jo->n_milestones, SC_KEY_MILESTONE);
    put_names(jo, &w, "triggers", jo->n_triggers, SC_KEY_TRIGGER);
    put_names(jo, &w, "channels", jo->n_channels, SC_KEY_CHANNEL);
    put_names(jo, &w, "caps", jo->guard.n_caps, SC_KEY_CAP);
    put_metrics(rp, ar, &w);
    sc_jsonw_obj_end(&w);
}

/* JSON inside a script element: no text in it may look like the element's end. */
static bool write_data(FILE *f, struct sc_str json)
{
    const char *at = json.p, *end = json.p + json.len, *lt;
    while ((lt = memchr(at, '<', (size_t)(end - at))) != NULL) {
        fwrite(at, 1, (size_t)(lt - at), f);
        fputs("\\u003c", f);
        at = lt + 1;
    }
    return fwrite(at, 1, (size_t)(end - at), f) == (size_t)(end - at);
}

static bool write_page(FILE *f, struct sc_str json)
{
    const char *page = (const char *)report_page;
    const char *mark = memmem(page, sizeof(report_page), DATA_MARK, strlen(DATA_MARK));
    SC_ASSERT(mark != NULL);
    const char *rest = mark + strlen(DATA_MARK);
    size_t left = sizeof(report_page) - (size_t)(rest - page);
    return fwrite(page, 1, (size_t)(mark - page), f) == (size_t)(mark - page) &&
           write_data(f, json) && fwrite(rest, 1, left, f) == left && fflush(f) == 0 && !ferror(f);
}

static bool write_file(const char *path, struct sc_str json)
{
    FILE *f = fopen(path, "we");
    bool fine = f != NULL && write_page(f, json);
    if (f != NULL)
        fine = fclose(f) == 0 && fine;
    return fine;
}

/* Half a page is never seen under the name. */
static bool write_beside(const char *path, struct sc_str json, struct sc_arena *ar)
{
    const char *beside = sc_arena_printf(ar, "%s.part", path);
    bool fine = write_file(beside, json) && rename(beside, path) == 0;
    int failed = errno;
    if (!fine)
        unlink(beside);
    errno = failed;
    return fine;
}

/* A file, or none yet: what a rename may replace. Not so a device, a pipe, a symbolic link. */
static bool is_replaceable(const char *path)
{
    struct stat st;
    return lstat(path, &st) != 0 || S_ISREG(st.st_mode);
}

bool sc_report_write(const struct sc_report *rp, const char *path)
{
    struct sc_arena ar;
    struct sc_buf json = {0};
    sc_arena_init(&ar);
    put_data(rp, &ar, &json);
    struct sc_str data = sc_buf_view(&json);
    bool fine = strcmp(path, "-") == 0 ? write_page(stdout, data)
                : is_replaceable(path) ? write_beside(path, data, &ar)
                                       : write_file(path, data);
    if (!fine)
        fprintf(stderr, "stagecoach: %s: writing failed: %s\n", path, strerror(errno));
    sc_buf_fini(&json);
    sc_arena_fini(&ar);
    return fine;
}
