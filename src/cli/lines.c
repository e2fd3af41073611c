/* See lines.h. A plain file is read as it is; zlib reads the rest: gzip, and whatever cannot say
 * first which of both it is (a pipe). */
#include "cli/lines.h"

#include "base/arena.h"
#include "cli/cli.h"
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK (256u << 10)
#define BYTE_ORDER_MARK "\xEF\xBB\xBF" /* what some editors put before UTF-8 */

struct sc_lines {
    gzFile gz; /* NULL: a plain file */
    int fd;
    int error; /* errno of a read that failed */
    char *buf; /* SC_LINE_MAX + CHUNK bytes */
    size_t from, to;
    uint64_t number, size, at;
    bool end;
    bool cut; /* it ended inside a record */
};

static bool is_plain(int fd)
{
    unsigned char magic[2];
    ssize_t n = pread(fd, magic, sizeof(magic), 0);
    return n >= 0 && !(n == 2 && magic[0] == 0x1f && magic[1] == 0x8b);
}

struct sc_lines *sc_lines_open(const char *path)
{
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st = {0};
    if (fd < 0)
        return NULL;
    int failed = fstat(fd, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (failed) {
        close(fd);
        errno = failed;
        return NULL;
    }
    struct sc_lines *ls = sc_calloc(1, sizeof(*ls));
    if (S_ISREG(st.st_mode))
        ls->size = (uint64_t)st.st_size;
    ls->fd = fd;
    bool plain = ls->size > 0 && lseek(fd, 0, SEEK_CUR) == 0 && is_plain(fd);
    ls->gz = plain ? NULL : gzdopen(fd, "rb");
    if (ls->gz == NULL && !plain) {
        close(fd);
        free(ls);
        return NULL;
    }
    if (ls->gz)
        gzbuffer(ls->gz, CHUNK);
    ls->buf = sc_malloc(SC_LINE_MAX + CHUNK);
    return ls;
}

void sc_lines_close(struct sc_lines *ls)
{
    if (ls->gz)
        gzclose(ls->gz);
    else
        close(ls->fd);
    free(ls->buf);
    free(ls);
}

static ssize_t read_plain(struct sc_lines *ls, char *to)
{
    ssize_t n;
    do
        n = read(ls->fd, to, CHUNK);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        ls->error = errno;
    ls->at += n > 0 ? (uint64_t)n : 0;
    return n;
}

/* Read more behind what is left. False at the end or on an error. */
static bool fill(struct sc_lines *ls)
{
    memmove(ls->buf, ls->buf + ls->from, ls->to - ls->from);
    ls->to -= ls->from;
    ls->from = 0;
    char *to = ls->buf + ls->to;
    ssize_t n = ls->gz ? gzread(ls->gz, to, CHUNK) : read_plain(ls, to);
    if (n <= 0) {
        int code = Z_OK;
        if (n < 0 && ls->gz && gzerror(ls->gz, &code) && code == Z_ERRNO)
            ls->error = errno;
        ls->end = true;
        return false;
    }
    ls->to += (size_t)n;
    return true;
}

static bool failed(struct sc_lines *ls)
{
    int code = 0;
    if (ls->gz == NULL)
        return ls->error != 0;
    gzerror(ls->gz, &code);
    return code != Z_OK && code != Z_STREAM_END;
}

enum sc_line sc_lines_next(struct sc_lines *ls, struct sc_str *line, uint64_t *number)
{
    size_t looked = 0;
    bool too_long = false;
    for (;;) {
        char *at = ls->buf + ls->from, *nl = NULL;
        size_t have = ls->to - ls->from;
        if (have > looked)
            nl = memchr(at + looked, '\n', have - looked);
        if (nl || (ls->end && have > 0)) {
            size_t len = nl ? (size_t)(nl - at) : have;
            ls->from += nl ? len + 1 : len;
            *number = ++ls->number;
            if (len > 0 && at[len - 1] == '\r')
                len--;
            if (ls->number == 1 && len >= 3 && memcmp(at, BYTE_ORDER_MARK, 3) == 0) {
                at += 3;
                len -= 3;
            }
            *line = (struct sc_str){at, len};
            return too_long || len > SC_LINE_MAX ? SC_LINE_TOO_LONG : SC_LINE_OK;
        }
        if (ls->end)
            return failed(ls) ? SC_LINE_ERROR : SC_LINE_END;
        looked = have;
        if (have >= SC_LINE_MAX) { /* drop what is there, go on to the line's end */
            too_long = true;
            ls->from = ls->to;
            looked = 0;
        }
        fill(ls);
    }
}

int sc_lines_peek(struct sc_lines *ls)
{
    while (ls->from == ls->to && !ls->end)
        fill(ls);
    return ls->from < ls->to ? (unsigned char)ls->buf[ls->from] : -1;
}

/* Have `n` bytes at hand. False: the file has no more. */
static bool have(struct sc_lines *ls, size_t n)
{
    while (ls->to - ls->from < n && !ls->end)
        fill(ls);
    return ls->to - ls->from >= n;
}

enum sc_line sc_lines_record(struct sc_lines *ls, struct sc_str *record, uint64_t *number)
{
    if (!have(ls, 4)) {
        ls->cut = ls->to > ls->from;
        return ls->cut || failed(ls) ? SC_LINE_ERROR : SC_LINE_END;
    }
    uint32_t head;
    memcpy(&head, ls->buf + ls->from, sizeof(head));
    size_t len = be32toh(head);
    ls->from += 4;
    *number = ++ls->number;
    if (len == UINT32_MAX) {
        *record = SC_STR_NULL;
        return SC_LINE_OK;
    }
    bool too_long = len > SC_LINE_MAX;
    for (; len > SC_LINE_MAX && have(ls, SC_LINE_MAX); len -= SC_LINE_MAX)
        ls->from += SC_LINE_MAX; /* dropped */
    ls->cut = len > SC_LINE_MAX || !have(ls, len);
    if (ls->cut)
        return SC_LINE_ERROR;
    *record = (struct sc_str){ls->buf + ls->from, len};
    ls->from += len;
    return too_long ? SC_LINE_TOO_LONG : SC_LINE_OK;
}

static const char *why(struct sc_lines *ls)
{
    int code;
    if (ls->error)
        return strerror(ls->error);
    if (ls->cut && !failed(ls))
        return "it ends inside a record";
    const char *text = gzerror(ls->gz, &code), *said = strstr(text, ": "); /* "<fd:4>: why" */
    return said ? said + 2 : text;
}

int sc_lines_end(struct sc_lines *ls, const char *path, enum sc_line last)
{
    int rc = last != SC_LINE_ERROR ? SC_EXIT_OK : ls->error ? SC_EXIT_NOINPUT : SC_EXIT_DATA;
    if (rc)
        fprintf(stderr, "stagecoach: %s: %s\n", path, why(ls));
    sc_lines_close(ls);
    return rc;
}

uint64_t sc_lines_at(const struct sc_lines *ls)
{
    z_off_t at = ls->gz ? gzoffset(ls->gz) : 0;
    return ls->gz == NULL ? ls->at : at < 0 ? 0 : (uint64_t)at;
}

uint64_t sc_lines_size(const struct sc_lines *ls)
{
    return ls->size;
}
