/* Lines of a text file, plain or gzip, or of standard input ("-"). One buffer, no copy a line. */
#ifndef SC_CLI_LINES_H
#define SC_CLI_LINES_H

#include "base/str.h"

#define SC_LINE_MAX (1u << 20) /* a longer line is skipped and reported */

struct sc_lines;

/* NULL when it cannot be opened: errno says why. */
struct sc_lines *sc_lines_open(const char *path);
void sc_lines_close(struct sc_lines *ls);
enum sc_line { SC_LINE_OK, SC_LINE_END, SC_LINE_TOO_LONG, SC_LINE_ERROR };
/* The next line without its end ("\n" or "\r\n"), the first also without a byte order mark; valid
 * until the next call; number from 1. */
enum sc_line sc_lines_next(struct sc_lines *ls, struct sc_str *line, uint64_t *number);
/* Instead of a line: a record with its length before it (u32, big endian), as `kcat -f '%R%s'`
 * writes them, -1 for one without a value (p NULL); number from 1. A file that ends inside one:
 * ERROR. */
enum sc_line sc_lines_record(struct sc_lines *ls, struct sc_str *record, uint64_t *number);
/* The first byte, which stays; -1: there is none. */
int sc_lines_peek(struct sc_lines *ls);
/* Close it at its end, or where reading it `last` failed: said on standard error. Returns an exit
 * code: 66 it could not be read, 65 it is damaged gzip or cut inside a record. */
int sc_lines_end(struct sc_lines *ls, const char *path, enum sc_line last);
/* Bytes of the file read so far (compressed ones, where it is), and its size (0: unknown). */
uint64_t sc_lines_at(const struct sc_lines *ls);
uint64_t sc_lines_size(const struct sc_lines *ls);

#endif
