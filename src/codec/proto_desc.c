/* FileDescriptorProto and FileDescriptorSet, read field by field.
 * Source: google/protobuf/descriptor.proto; its numbers stand where they are used. */
#include "codec/proto_schema.h"
#include "codec/proto_wire.h"

#include "base/arena.h"
#include "base/assert.h"

/* One field of a descriptor: a number and its bytes, or its integer. */
struct item {
    uint32_t number;
    uint64_t integer;
    struct sc_str bytes;
};

/* False at the end and when the bytes are damaged (`*bad` then). Other wire types than the two that
 * descriptors use here are passed over. */
static bool next_item(struct sc_str *in, struct item *out, bool *bad)
{
    if (in->len == 0)
        return false;
    const uint8_t *p = (const uint8_t *)in->p, *end = p + in->len;
    struct sc_wire_tag tag;
    while (p < end) {
        enum sc_drop drop = sc_wire_tag(&p, end, &tag);
        *out = (struct item){.number = tag.number};
        if (drop == SC_DROP_NONE && tag.wire == SC_WIRE_VARINT)
            drop = sc_varint(&p, end, &out->integer);
        else if (drop == SC_DROP_NONE && tag.wire == SC_WIRE_LEN)
            drop = sc_wire_bytes(&p, end, &out->bytes);
        else if (drop == SC_DROP_NONE)
            drop = sc_wire_skip(&p, end, tag, 0);
        *bad = drop != SC_DROP_NONE;
        *in = (struct sc_str){(const char *)p, (size_t)(end - p)};
        if (*bad || tag.wire == SC_WIRE_VARINT || tag.wire == SC_WIRE_LEN)
            return !*bad;
    }
    return false;
}

static bool damaged(struct sc_proto_files *files)
{
    return sc_proto_fail(files, "the descriptor is damaged");
}

static bool read_enum_value(struct sc_proto_files *files, struct sc_str in, struct sc_proto_enum *e)
{
    struct item it;
    bool bad = false;
    struct sc_str name = SC_STR_NULL;
    int32_t number = 0;
    while (next_item(&in, &it, &bad)) {
        if (it.number == 1)
            name = it.bytes;
        if (it.number == 2)
            number = (int32_t)it.integer;
    }
    SC_VEC_PUSH(files->ar, &e->names, sc_str_dup(files->ar, name));
    SC_VEC_PUSH(files->ar, &e->numbers, number);
    return !bad || damaged(files);
}

/* The text field 1, a name in every descriptor. */
static struct sc_str name_in(struct sc_str in)
{
    struct item it;
    bool bad = false;
    struct sc_str name = SC_STR_NULL;
    while (next_item(&in, &it, &bad))
        if (it.number == 1)
            name = it.bytes;
    return name;
}

static bool read_enum(struct sc_proto_files *files, struct sc_str in, struct sc_str scope)
{
    struct item it;
    bool bad = false;
    struct sc_proto_enum *e = sc_proto_enum_new(files, scope, name_in(in));
    if (e == NULL)
        return false;
    while (next_item(&in, &it, &bad))
        if (it.number == 2 && !read_enum_value(files, it.bytes, e))
            return false;
    return !bad || damaged(files);
}

static bool read_field(struct sc_proto_files *files, struct sc_str in, struct sc_proto_message *m,
                       bool proto3)
{
    struct item it;
    bool bad = false, optional = false;
    struct sc_proto_field f = {.oneof = -1};
    while (next_item(&in, &it, &bad)) {
        switch (it.number) {
        case 1: f.name = sc_str_dup(files->ar, it.bytes); break;
        case 3: f.number = (uint32_t)it.integer; break;
        case 4: f.repeated = it.integer == 3; break;
        case 5: f.kind = it.integer <= SC_PROTO_SINT64 ? (enum sc_proto_kind)it.integer
                                                      : SC_PROTO_UNRESOLVED; break;
        case 6: f.type_name = sc_str_dup(files->ar, it.bytes); break;
        case 9: f.oneof = it.integer < 1u << 20 ? (int32_t)it.integer : -1; break;
        case 17: optional = it.integer != 0; break;
        default: break;
        }
    }
    if (bad || f.name.len == 0 || f.number == 0 || f.number >= 1u << 29)
        return damaged(files);
    if (optional)
        f.oneof = -1; /* the oneof of one that stands for `optional` in proto3 */
    f.presence = sc_proto_presence(&f, proto3, optional);
    SC_VEC_PUSH(files->ar, &m->fields, f);
    return true;
}

static bool is_map_entry(struct sc_str options)
{
    struct item it;
    bool bad = false, entry = false;
    while (next_item(&options, &it, &bad))
        if (it.number == 7)
            entry = it.integer != 0;
    return entry;
}

static struct sc_proto_message *read_message(struct sc_proto_files *files, struct sc_str in,
                                             struct sc_str scope, bool proto3, unsigned depth)
{
    struct item it;
    bool bad = false;
    struct sc_proto_message *m = sc_proto_message_new(files, scope, name_in(in)), *inner;
    if (m == NULL || (depth > SC_DECODE_DEPTH && !damaged(files)))
        return NULL;
    while (next_item(&in, &it, &bad)) {
        bool ok = true;
        switch (it.number) {
        case 2: ok = read_field(files, it.bytes, m, proto3); break;
        case 3:
            inner = read_message(files, it.bytes, m->name, proto3, depth + 1);
            ok = inner != NULL;
            if (ok)
                SC_VEC_PUSH(files->ar, &m->nested, inner);
            break;
        case 4: ok = read_enum(files, it.bytes, m->name); break;
        case 7: m->map_entry = is_map_entry(it.bytes); break;
        default: break;
        }
        if (!ok)
            return NULL;
    }
    return bad && !damaged(files) ? NULL : m;
}

bool sc_proto_parse_descriptor(struct sc_proto_files *files, struct sc_str bytes, bool main)
{
    struct item it;
    bool bad = false, proto3 = false;
    struct sc_str package = SC_STR_NULL, in = bytes;
    SC_ASSERT(files->ar != NULL);
    while (next_item(&in, &it, &bad)) {
        if (it.number == 2)
            package = it.bytes;
        if (it.number == 12)
            proto3 = sc_str_eqz(it.bytes, "proto3");
        if (it.number == 12 && sc_str_eqz(it.bytes, "editions"))
            return sc_proto_fail(files, "editions are not supported, proto2 and proto3 are");
    }
    if (bad)
        return damaged(files);
    while (next_item(&bytes, &it, &bad)) {
        if (it.number == 5 && !read_enum(files, it.bytes, package))
            return false;
        if (it.number != 4)
            continue;
        struct sc_proto_message *m = read_message(files, it.bytes, package, proto3, 0);
        if (m == NULL)
            return false;
        if (main)
            SC_VEC_PUSH(files->ar, &files->top, m);
    }
    return !bad || damaged(files);
}

/* The last file is the one that was asked for: protoc writes what it imports first. */
bool sc_proto_parse_set(struct sc_proto_files *files, struct sc_str bytes)
{
    struct item it;
    bool bad = false;
    while (next_item(&bytes, &it, &bad))
        if (it.number == 1 && !sc_proto_parse_descriptor(files, it.bytes, bytes.len == 0))
            return false;
    return !bad || damaged(files);
}
