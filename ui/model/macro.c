#include "macro.h"

#include <string.h>

#include "nearest.h"

#define NAME_COLUMNS 22

/* clang-format off */
const struct macro macros[MACRO_COUNT] = {
    [MACRO_NONE] = {"", "", MACRO_NOTHING, false, false, ""},
#define X(id, name, args, kind, needed, twice, title) [id] = {name, args, kind, needed, twice, title},
    MACRO_LIST(X)
#undef X
};
/* clang-format on */

bool macro_is_one(const char *line)
{
    return line[0] == ':';
}

static struct span name_of(const char *line)
{
    return (struct span){line + 1, strcspn(line + 1, " ")};
}

enum macro_id macro_find(const char *line, const char **args)
{
    *args = "";
    if (!macro_is_one(line)) {
        return MACRO_NONE;
    }
    struct span name = name_of(line);
    for (enum macro_id id = MACRO_NONE + 1; id < MACRO_COUNT; id++) {
        if (span_equal_nocase(name, macros[id].name)) {
            *args = name.p + name.len + strspn(name.p + name.len, " ");
            return id;
        }
    }
    return MACRO_NONE;
}

static const char *name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return i == MACRO_NONE ? NULL : macros[i].name;
}

enum macro_id macro_nearest(const char *line)
{
    char name[NEAREST_WORD_MAX];
    if (!macro_is_one(line)) {
        return MACRO_NONE;
    }
    struct span typed = name_of(line);
    if (typed.len >= sizeof(name)) {
        return MACRO_NONE;
    }
    memcpy(name, typed.p, typed.len);
    name[typed.len] = '\0';
    size_t found = nearest_word(name, name_at, NULL, MACRO_COUNT);
    return found < MACRO_COUNT ? (enum macro_id)found : MACRO_NONE;
}

bool macro_next_word(const char **args, char *out, size_t size)
{
    const char *word = *args + strspn(*args, " ");
    size_t len = strcspn(word, " ");
    out[0] = '\0';
    if (len == 0 || len >= size) {
        return false;
    }
    memcpy(out, word, len);
    out[len] = '\0';
    *args = word + len;
    return true;
}

enum status macro_list(struct buf *out)
{
    enum status st = ST_OK;
    for (enum macro_id id = MACRO_NONE + 1; id < MACRO_COUNT && st == ST_OK; id++) {
        const struct macro *m = &macros[id];
        int name = (int)(strlen(m->name) + strlen(m->args) + 2);
        st = buf_addf(out, ":%s %s%*s%s\n", m->name, m->args,
                      name < NAME_COLUMNS ? NAME_COLUMNS - name : 1, "", _(m->title));
    }
    return st;
}
