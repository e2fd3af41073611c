/* A Kafka record's header. */
#ifndef SC_CODEC_HEADER_H
#define SC_CODEC_HEADER_H

#include "base/str.h"

struct sc_header {
    struct sc_str name, value; /* value.p == NULL: null */
};

#endif
