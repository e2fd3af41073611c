/* Bits and sizes of journal frames, between their writer and their reader. Layout: docs/formats.md.
 *
 *   frame   magic u32, crc u32 | version u8, 0 u8, records u16, bytes u32, projection u64 | records
 *   record  bytes u32, kind u8, bits u16 | to, hops | parts, in the order of their bits | event
 *
 * In a frame an event says where it came from only if the event before came from elsewhere. */
#ifndef SC_CODEC_JOURNAL_FORM_H
#define SC_CODEC_JOURNAL_FORM_H

#include "codec/flat.h"
#include "codec/journal.h"
#include "codec/state.h"

#define SC_FRAME_MAGIC 0x464a4353u /* "SCJF" */
#define SC_FRAME_VERSION 4
#define SC_FRAME_NO_ASK 3 /* there it was a LEAVE with `other`, and the kinds behind it one less */
#define SC_FRAME_OLDEST 2 /* the same without SC_RP_FIRST, SC_EB_AS_BEFORE */
#define SC_FRAME_HEAD 24u
#define SC_FRAME_SUMMED 8u /* the checksum is of all from here on */

enum { /* parts of a record */
    SC_RP_VIA = 1, SC_RP_HOME = 2, SC_RP_LINKS = 4, SC_RP_NODE = 8, SC_RP_OTHER = 16,
    SC_RP_LINK = 32, SC_RP_VIOLATION = 64, SC_RP_ERASE = 128, SC_RP_STATE = 256,
    SC_RP_EVENT = 512, SC_RP_AMBIGUOUS = 1024, SC_RP_HEARD = 2048,
    SC_RP_COMMAND = 4096, SC_RP_LET_GO = 8192, SC_RP_DECIDED = 16384,
    SC_RP_FIRST = 32768 /* to is the event's first identifier, and does not stand */
};
enum { /* bits of an event */
    SC_EB_DEPRECATED = 1, SC_EB_CLAMPED = 2, SC_EB_CLAIMED = 4, SC_EB_DEMOTED = 8, SC_EB_ZONE = 16,
    SC_EB_TRACE = 32, SC_EB_DUPLICATE = 64,
    SC_EB_AS_BEFORE = 128 /* source, topic and partition are those of the event before */
};
enum { SC_LB_A = 1, SC_LB_B = 2, SC_LB_ALL = 3 }; /* a link: its roots are not its own nodes */
enum { SC_HB_IDLE = 1, SC_HB_EMPTY = 2, SC_HB_ALL = 3 };

#endif
