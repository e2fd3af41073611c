/* .proto text, proto2 and proto3: messages, enums, maps, oneofs, groups. Options, services,
 * extensions and reserved ranges are passed over; editions are refused by name.
 * Source: protobuf.dev, language specifications of proto2 and proto3. */
#include "codec/proto_schema.h"

#include "base/arena.h"
#include "base/assert.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_SIGN };

struct parser {
    struct sc_proto_files *files;
    const char *p, *end;
    struct sc_str token; /* the current one; of a TEXT, without quotes */
    enum token_kind kind;
    unsigned line;
    unsigned depth;
    bool proto3, main, failed;
    struct sc_str package;
};

static bool message_body(struct parser *ps, struct sc_proto_message *m);

static bool fail(struct parser *ps, const char *what)
{
    if (!ps->failed && ps->kind == TOKEN_END)
        sc_proto_fail(ps->files, "line %u: %s, at the end of the text", ps->line, what);
    else if (!ps->failed)
        sc_proto_fail(ps->files, "line %u: %s, at `%.*s`", ps->line, what,
                      (int)(ps->token.len < 60 ? ps->token.len : 60), ps->token.p);
    ps->failed = true;
    ps->kind = TOKEN_END;
    return false;
}

static bool is_name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && ((c >= '0' && c <= '9') || c == '.'));
}

static void skip_blanks(struct parser *ps)
{
    for (; ps->p < ps->end; ps->p++) {
        bool pair = ps->end - ps->p >= 2 && ps->p[0] == '/';
        if (pair && ps->p[1] == '/') {
            while (ps->p + 1 < ps->end && ps->p[1] != '\n')
                ps->p++;
        } else if (pair && ps->p[1] == '*') {
            for (ps->p += 2; ps->end - ps->p >= 2 && (ps->p[0] != '*' || ps->p[1] != '/'); ps->p++)
                ps->line += *ps->p == '\n';
            ps->p += ps->end - ps->p >= 2;
        } else if (*ps->p == '\n') {
            ps->line++;
        } else if (!strchr(" \t\r\f\v", *ps->p) || *ps->p == '\0') {
            return;
        }
        if (ps->p == ps->end)
            return;
    }
}

static void next_text(struct parser *ps)
{
    char quote = *ps->p++;
    const char *start = ps->p;
    while (ps->p < ps->end && *ps->p != quote && *ps->p != '\n')
        ps->p += *ps->p == '\\' && ps->end - ps->p >= 2 ? 2 : 1;
    ps->kind = TOKEN_TEXT;
    ps->token = (struct sc_str){start, (size_t)(ps->p - start)};
    if (ps->p == ps->end || *ps->p != quote)
        fail(ps, "a string does not end");
    else
        ps->p++;
}

static void next(struct parser *ps)
{
    skip_blanks(ps);
    const char *start = ps->p;
    if (ps->failed || start == ps->end) {
        ps->kind = TOKEN_END;
        return;
    }
    if (*start == '"' || *start == '\'') {
        next_text(ps);
        return;
    }
    bool dotted = *start == '.' && ps->end - start >= 2 && is_name_char(start[1], true);
    ps->kind = TOKEN_SIGN;
    if (is_name_char(*start, true) || dotted)
        ps->kind = TOKEN_NAME;
    else if (*start >= '0' && *start <= '9')
        ps->kind = TOKEN_NUMBER;
    ps->p++;
    while (ps->kind != TOKEN_SIGN && ps->p < ps->end && is_name_char(*ps->p, false))
        ps->p++;
    ps->token = (struct sc_str){start, (size_t)(ps->p - start)};
}

static bool at(const struct parser *ps, const char *what)
{
    return ps->kind != TOKEN_END && ps->kind != TOKEN_TEXT && sc_str_eqz(ps->token, what);
}

static bool accept(struct parser *ps, const char *what)
{
    bool is = at(ps, what);
    if (is)
        next(ps);
    return is;
}

static bool expect(struct parser *ps, const char *what)
{
    return accept(ps, what) ||
           fail(ps, what[0] == ';' ? "`;` is expected"
                    : what[0] == '=' ? "`=` is expected"
                    : what[0] == '{' ? "`{` is expected"
                                     : "another sign is expected");
}

static bool name(struct parser *ps, struct sc_str *out)
{
    if (ps->kind != TOKEN_NAME)
        return fail(ps, "a name is expected");
    *out = sc_str_dup(ps->files->ar, ps->token);
    next(ps);
    return true;
}

static bool integer(struct parser *ps, int64_t *out)
{
    bool negative = accept(ps, "-");
    struct sc_str s = ps->token;
    unsigned base = 10;
    uint64_t u = 0;
    if (ps->kind != TOKEN_NUMBER)
        return fail(ps, "a number is expected");
    if (s.len > 1 && s.p[0] == '0') {
        base = s.p[1] == 'x' || s.p[1] == 'X' ? 16 : 8;
        s = (struct sc_str){s.p + base / 8, s.len - base / 8};
    }
    for (size_t i = 0; i < s.len; i++) {
        char low = (char)(s.p[i] | 0x20);
        unsigned digit = s.p[i] <= '9' ? (unsigned)(s.p[i] - '0') : (unsigned)(low - 'a' + 10);
        if (digit >= base || u > UINT32_MAX)
            return fail(ps, "a number that is not understood");
        u = u * base + digit;
    }
    *out = negative ? -(int64_t)u : (int64_t)u;
    next(ps);
    return true;
}

/* Up to `;`, or past the block that comes first; brackets of any kind nest. */
static bool skip_statement(struct parser *ps)
{
    unsigned open = 0;
    for (; ps->kind != TOKEN_END; next(ps)) {
        bool closes = at(ps, "}") || at(ps, "]");
        if (open == 0 && closes)
            return fail(ps, "`;` is expected");
        open += at(ps, "{") || at(ps, "[");
        open -= closes;
        if (open == 0 && (at(ps, ";") || at(ps, "}"))) {
            next(ps);
            return true;
        }
    }
    return fail(ps, "a statement does not end");
}

/* [ … ] behind a field or enum value. */
static bool skip_options(struct parser *ps)
{
    unsigned open = 0;
    if (!at(ps, "["))
        return true;
    for (; ps->kind != TOKEN_END; next(ps)) {
        open += at(ps, "[") || at(ps, "{");
        open -= at(ps, "]") || at(ps, "}");
        if (open == 0) {
            next(ps);
            return true;
        }
    }
    return fail(ps, "options do not end");
}

static bool enum_body(struct parser *ps, struct sc_proto_enum *e)
{
    while (!accept(ps, "}")) {
        struct sc_str value;
        int64_t number = 0;
        if (accept(ps, ";"))
            continue;
        if (!name(ps, &value))
            return false;
        if ((sc_str_eqz(value, "option") || sc_str_eqz(value, "reserved")) && !at(ps, "=")) {
            if (!skip_statement(ps))
                return false;
            continue;
        }
        if (!expect(ps, "=") || !integer(ps, &number) || !skip_options(ps) || !expect(ps, ";"))
            return false;
        SC_VEC_PUSH(ps->files->ar, &e->names, value);
        SC_VEC_PUSH(ps->files->ar, &e->numbers, (int32_t)number);
    }
    return true;
}

static bool enumeration(struct parser *ps, struct sc_str scope)
{
    struct sc_str id;
    if (!name(ps, &id) || !expect(ps, "{"))
        return false;
    struct sc_proto_enum *e = sc_proto_enum_new(ps->files, scope, id);
    return e != NULL && enum_body(ps, e);
}

/* `name {` has begun a message. */
static struct sc_proto_message *message(struct parser *ps, struct sc_str scope, struct sc_str id)
{
    struct sc_proto_message *m = sc_proto_message_new(ps->files, scope, id);
    if (m == NULL || !expect(ps, "{"))
        return NULL;
    if (++ps->depth > SC_DECODE_DEPTH) {
        fail(ps, "messages are nested too deep");
        return NULL;
    }
    bool ok = message_body(ps, m);
    ps->depth--;
    return ok ? m : NULL;
}

static enum sc_proto_kind scalar_kind(struct sc_str type)
{
    static const struct {
        const char *name;
        enum sc_proto_kind kind;
    } scalars[] = {
        {"double", SC_PROTO_DOUBLE},     {"float", SC_PROTO_FLOAT},
        {"int64", SC_PROTO_INT64},       {"uint64", SC_PROTO_UINT64},
        {"int32", SC_PROTO_INT32},       {"fixed64", SC_PROTO_FIXED64},
        {"fixed32", SC_PROTO_FIXED32},   {"bool", SC_PROTO_BOOL},
        {"string", SC_PROTO_STRING},     {"bytes", SC_PROTO_BYTES},
        {"uint32", SC_PROTO_UINT32},     {"sfixed32", SC_PROTO_SFIXED32},
        {"sfixed64", SC_PROTO_SFIXED64}, {"sint32", SC_PROTO_SINT32},
        {"sint64", SC_PROTO_SINT64},
    };
    for (size_t i = 0; i < sizeof(scalars) / sizeof(*scalars); i++)
        if (sc_str_eqz(type, scalars[i].name))
            return scalars[i].kind;
    return SC_PROTO_UNRESOLVED;
}

static void type_of(struct sc_proto_field *f, struct sc_str type)
{
    f->kind = scalar_kind(type);
    if (f->kind == SC_PROTO_UNRESOLVED)
        f->type_name = type;
}

/* `= number [options] ;` and into the message. */
static bool field_end(struct parser *ps, struct sc_proto_message *m, struct sc_proto_field *f)
{
    int64_t number = 0;
    if (!expect(ps, "=") || !integer(ps, &number))
        return false;
    if (number < 1 || number >= 1 << 29)
        return fail(ps, "a field's number is outside 1 .. 536870911, before");
    f->number = (uint32_t)number;
    if (!skip_options(ps))
        return false;
    if (f->kind == SC_PROTO_GROUP) {
        struct sc_proto_message *group = message(ps, m->name, f->type_name);
        if (group == NULL)
            return false;
        f->message = group;
        SC_VEC_PUSH(ps->files->ar, &m->nested, group);
    } else if (!expect(ps, ";")) {
        return false;
    }
    SC_VEC_PUSH(ps->files->ar, &m->fields, *f);
    return true;
}

static struct sc_str entry_name(struct parser *ps, struct sc_str field)
{
    char *out = sc_arena_alloc(ps->files->ar, field.len + 5);
    size_t n = 0;
    bool up = true;
    for (size_t i = 0; i < field.len; i++) {
        char c = field.p[i];
        if (c != '_')
            out[n++] = up && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        up = c == '_';
    }
    memcpy(out + n, "Entry", 5);
    return (struct sc_str){out, n + 5};
}

/* `map` is read: < key, value > name = number; an entry message stands for it, as protoc has it. */
static bool map_field(struct parser *ps, struct sc_proto_message *m)
{
    struct sc_proto_field f = {.repeated = true, .kind = SC_PROTO_MESSAGE, .oneof = -1};
    struct sc_proto_field key = {.name = SC_STR("key"), .number = 1, .oneof = -1};
    struct sc_proto_field value = {.name = SC_STR("value"), .number = 2, .oneof = -1};
    struct sc_str key_type, value_type;
    if (!expect(ps, "<") || !name(ps, &key_type) || !expect(ps, ",") || !name(ps, &value_type) ||
        !expect(ps, ">") || !name(ps, &f.name))
        return false;
    type_of(&key, key_type);
    type_of(&value, value_type);
    if (key.kind == SC_PROTO_UNRESOLVED)
        return fail(ps, "a map's key is no integer, bool or string, before");
    struct sc_proto_message *entry =
        sc_proto_message_new(ps->files, m->name, entry_name(ps, f.name));
    if (entry == NULL)
        return false;
    entry->map_entry = true;
    SC_VEC_PUSH(ps->files->ar, &entry->fields, key);
    SC_VEC_PUSH(ps->files->ar, &entry->fields, value);
    SC_VEC_PUSH(ps->files->ar, &m->nested, entry);
    f.message = entry;
    return field_end(ps, m, &f);
}

/* [label] type name = …; the first word is read already. */
static bool field(struct parser *ps, struct sc_proto_message *m, struct sc_str word, int32_t oneof)
{
    struct sc_proto_field f = {.oneof = oneof};
    bool optional = sc_str_eqz(word, "optional");
    f.repeated = sc_str_eqz(word, "repeated");
    struct sc_str type = word;
    if ((optional || f.repeated || sc_str_eqz(word, "required")) && !name(ps, &type))
        return false;
    if (sc_str_eqz(type, "group") && ps->kind == TOKEN_NAME) {
        f.kind = SC_PROTO_GROUP;
        if (!name(ps, &f.type_name))
            return false;
        char *low = sc_arena_dup(ps->files->ar, f.type_name.p, f.type_name.len);
        for (size_t i = 0; i < f.type_name.len; i++)
            low[i] = (char)(low[i] >= 'A' && low[i] <= 'Z' ? low[i] + 32 : low[i]);
        f.name = (struct sc_str){low, f.type_name.len};
    } else {
        type_of(&f, type);
        if (!name(ps, &f.name))
            return false;
    }
    f.presence = sc_proto_presence(&f, ps->proto3, optional);
    return field_end(ps, m, &f);
}

static bool oneof(struct parser *ps, struct sc_proto_message *m)
{
    struct sc_str word;
    int32_t index = m->n_oneofs++;
    if (!name(ps, &word) || !expect(ps, "{"))
        return false;
    while (!accept(ps, "}")) {
        if (accept(ps, ";"))
            continue;
        if (!name(ps, &word))
            return false;
        bool option = sc_str_eqz(word, "option");
        if (option ? !skip_statement(ps) : !field(ps, m, word, index))
            return false;
    }
    return true;
}

static bool nested_message(struct parser *ps, struct sc_proto_message *m)
{
    struct sc_str id;
    struct sc_proto_message *inner = name(ps, &id) ? message(ps, m->name, id) : NULL;
    if (inner)
        SC_VEC_PUSH(ps->files->ar, &m->nested, inner);
    return inner != NULL;
}

static bool member(struct parser *ps, struct sc_proto_message *m)
{
    struct sc_str word;
    if (!name(ps, &word))
        return false;
    if (sc_str_eqz(word, "message"))
        return nested_message(ps, m);
    if (sc_str_eqz(word, "enum"))
        return enumeration(ps, m->name);
    if (sc_str_eqz(word, "oneof"))
        return oneof(ps, m);
    if (sc_str_eqz(word, "map") && at(ps, "<"))
        return map_field(ps, m);
    if (sc_str_eqz(word, "option") || sc_str_eqz(word, "reserved") ||
        sc_str_eqz(word, "extensions") || sc_str_eqz(word, "extend"))
        return skip_statement(ps);
    return field(ps, m, word, -1);
}

static bool message_body(struct parser *ps, struct sc_proto_message *m)
{
    while (!accept(ps, "}"))
        if (!accept(ps, ";") && !member(ps, m))
            return false;
    return true;
}

static bool syntax(struct parser *ps)
{
    if (!expect(ps, "=") || ps->kind != TOKEN_TEXT)
        return fail(ps, "the syntax's name is expected");
    ps->proto3 = sc_str_eqz(ps->token, "proto3");
    if (!ps->proto3 && !sc_str_eqz(ps->token, "proto2"))
        return fail(ps, "a syntax that is neither proto2 nor proto3");
    next(ps);
    return expect(ps, ";");
}

static bool top_message(struct parser *ps)
{
    struct sc_str id;
    struct sc_proto_message *m = name(ps, &id) ? message(ps, ps->package, id) : NULL;
    if (m && ps->main)
        SC_VEC_PUSH(ps->files->ar, &ps->files->top, m);
    return m != NULL;
}

static bool statement(struct parser *ps)
{
    if (accept(ps, "syntax"))
        return syntax(ps);
    if (at(ps, "edition"))
        return fail(ps, "editions are not supported, proto2 and proto3 are");
    if (accept(ps, "package"))
        return name(ps, &ps->package) && expect(ps, ";");
    if (accept(ps, "message"))
        return top_message(ps);
    if (accept(ps, "enum"))
        return enumeration(ps, ps->package);
    if (at(ps, "import") || at(ps, "option") || at(ps, "service") || at(ps, "extend"))
        return skip_statement(ps);
    return accept(ps, ";") || fail(ps, "no statement of a .proto file");
}

bool sc_proto_parse_text(struct sc_proto_files *files, struct sc_str text, bool main)
{
    struct parser ps = {.files = files, .p = text.p, .end = text.p + text.len, .line = 1,
                        .main = main};
    SC_ASSERT(text.p != NULL || text.len == 0);
    next(&ps);
    while (ps.kind != TOKEN_END)
        if (!statement(&ps))
            return false;
    return !ps.failed;
}
