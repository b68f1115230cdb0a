#include "replies_book.h"

#include <string.h>

/* The build tool cannot link the room that it is made for, so it lists the names itself. */
static const char *const class_names[] = {
#define X(id, name) name,
    REPLY_CLASS_LIST(X)
#undef X
};

static const char *const class_symbols[] = {
#define X(id, name) #id,
    REPLY_CLASS_LIST(X)
#undef X
};

const char *book_class_name(size_t i)
{
    return i < ARRAY_LEN(class_names) ? class_names[i] : NULL;
}

const char *book_class_symbol(size_t i)
{
    return i < ARRAY_LEN(class_symbols) ? class_symbols[i] : NULL;
}

static const struct {
    const char *name, *symbol;
    enum who who;
} whos[] = {
    {"nobody", "WHO_NOBODY", WHO_NOBODY},
    {"client", "WHO_CLIENT", WHO_CLIENT},
    {"server", "WHO_SERVER", WHO_SERVER},
    {"dns", "WHO_DNS", WHO_DNS},
    {"network", "WHO_NETWORK", WHO_NETWORK},
    {"third-party", "WHO_THIRD_PARTY", WHO_THIRD_PARTY},
    {"tool", "WHO_TOOL", WHO_TOOL},
};

const char *book_who_symbol(enum who who)
{
    for (size_t i = 0; i < ARRAY_LEN(whos); i++) {
        if (whos[i].who == who) {
            return whos[i].symbol;
        }
    }
    return "WHO_NOBODY";
}

bool book_who_find(const char *name, enum who *out)
{
    for (size_t i = 0; i < ARRAY_LEN(whos); i++) {
        if (strcmp(whos[i].name, name) == 0) {
            *out = whos[i].who;
            return true;
        }
    }
    return false;
}
