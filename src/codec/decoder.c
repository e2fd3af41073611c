/* The one way into every decoder (decoder.h). */
#include "codec/want.h"

#include "base/assert.h"

const struct sc_decoder *sc_decoder_for(enum sc_format format,
                                        const struct sc_schema_source *schema,
                                        const struct sc_message_at *at,
                                        const struct sc_projection *want, struct sc_arena *ar,
                                        struct sc_str *why)
{
    const struct sc_proto_files *files;
    SC_ASSERT(want != NULL && why != NULL);
    switch (format) {
    case SC_FORMAT_JSON: return sc_json_decoder(want, ar);
    case SC_FORMAT_AVRO: return sc_avro_decoder(schema, want, ar, why);
    case SC_FORMAT_PROTOBUF:
        files = sc_proto_parse(schema, ar, why);
        return files ? sc_proto_decoder(files, at->message, at->index, at->n_index, want, ar, why)
                     : NULL;
    }
    SC_UNREACHABLE("format");
}

enum sc_drop sc_decode(const struct sc_decoder *d, struct sc_str body, struct sc_arena *ar,
                       struct sc_value *slots, struct sc_fault *fault)
{
    SC_ASSERT(d != NULL && fault != NULL && (body.p != NULL || body.len == 0));
    if (body.p == NULL)
        body.p = "";
    return d->decode(d, body, ar, slots, fault);
}
