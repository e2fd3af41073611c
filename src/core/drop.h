/* Why a record went to the dead letters, or was dropped and counted: one table with the enum, the
 * metric label and code (`stagecoach.error.code`), the stage (`__connect.errors.stage`) and text. */
#ifndef SC_CORE_DROP_H
#define SC_CORE_DROP_H

#include <stdbool.h>

/* X(NAME, label, stage, dead_letter, text) */
#define SC_DROP_TABLE(X)                                                                           \
    X(NONE, "none", "none", false, "")                                                             \
    X(FRAME_TRUNCATED, "frame_truncated", "VALUE_CONVERTER", true,                                 \
      "the value is shorter than the registry's framing")                                          \
    X(FRAME_MAGIC, "frame_magic", "VALUE_CONVERTER", true,                                         \
      "the first byte is not 0: no registry framing")                                              \
    X(FRAME_INDEX, "frame_index", "VALUE_CONVERTER", true,                                         \
      "the Protobuf message index is damaged or names no message")                                 \
    X(SCHEMA_UNKNOWN, "schema_unknown", "VALUE_CONVERTER", true,                                   \
      "the registry does not know this schema id")                                                 \
    X(SCHEMA_UNUSABLE, "schema_unusable", "VALUE_CONVERTER", true,                                 \
      "the writer's schema cannot give what the taxonomy needs")                                   \
    X(EMPTY_VALUE, "empty_value", "VALUE_CONVERTER", true, "the record has no value")              \
    X(TRUNCATED, "truncated", "VALUE_CONVERTER", true, "the payload ends inside a field")          \
    X(MALFORMED, "malformed", "VALUE_CONVERTER", true, "the payload does not follow its format")   \
    X(TRAILING, "trailing", "VALUE_CONVERTER", true, "bytes are left after the payload")           \
    X(DEPTH, "depth", "VALUE_CONVERTER", true, "nested too deep")                                  \
    X(SIZE, "size", "VALUE_CONVERTER", true, "a length is over its bound")                         \
    X(UTF8, "utf8", "VALUE_CONVERTER", true, "text is not UTF-8")                                  \
    X(NO_EVENT, "no_event", "TRANSFORMATION", true, "the event's name is missing")                 \
    X(UNKNOWN_EVENT, "unknown_event", "TRANSFORMATION", true, "the event is not in the taxonomy")  \
    X(NO_TIME, "no_time", "TRANSFORMATION", true, "occurred_at is missing or is no time")          \
    X(NO_ID, "no_id", "TRANSFORMATION", true, "the event's id is missing")                         \
    X(BAD_IDENTIFIER, "bad_identifier", "TRANSFORMATION", true, "an identifier is no string")      \
    X(UNKNOWN_SOURCE, "unknown_source", "TRANSFORMATION", true, "the source is not in the taxonomy") \
    X(MISSING_PROPERTY, "missing_property", "TRANSFORMATION", true,                                \
      "a required property is missing")                                                            \
    X(WRONG_TYPE, "wrong_type", "TRANSFORMATION", true, "a property has the wrong type")           \
    X(OUT_OF_RANGE, "out_of_range", "TRANSFORMATION", true,                                        \
      "a property is outside its bounds")                                                          \
    X(NOT_IN_ENUM, "not_in_enum", "TRANSFORMATION", true,                                          \
      "a property is none of its allowed values")                                                  \
    X(DECIMAL_DIGITS, "decimal_digits", "TRANSFORMATION", true,                                    \
      "a decimal has more digits than its scale or 18 in all")                                     \
    X(POISON, "poison", "TRANSFORMATION", true, "the record ended the process three times")        \
    X(IGNORED_EVENT, "ignored_event", "TRANSFORMATION", false,                                     \
      "an event outside the taxonomy, ignored by policy")                                          \
    X(DUPLICATE, "duplicate", "TRANSFORMATION", false, "same source, id and content seen before")  \
    X(ANONYMOUS, "anonymous", "TRANSFORMATION", false, "no identifier: counts for no customer")    \
    X(ERASED, "erased", "TRANSFORMATION", false, "occurred before the customer's erasure")

enum sc_drop {
#define SC_DROP_ENUM(name, label, stage, dead, text) SC_DROP_##name,
    SC_DROP_TABLE(SC_DROP_ENUM)
#undef SC_DROP_ENUM
        SC_DROP_COUNT
};

const char *sc_drop_label(enum sc_drop d);
const char *sc_drop_stage(enum sc_drop d);
const char *sc_drop_text(enum sc_drop d);
bool sc_drop_dead_letter(enum sc_drop d);

#endif
