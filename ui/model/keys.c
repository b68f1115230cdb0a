#include "keys.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "text.h"

#define BIT(mode) (UINT32_C(1) << (mode))
#define STEPS BIT(MODE_PANE + PANE_STEPS)
#define TRANSCRIPT BIT(MODE_PANE + PANE_TRANSCRIPT)
#define ADVICE BIT(MODE_PANE + PANE_ADVICE)
#define TIMINGS BIT(MODE_PANE + PANE_TIMINGS)
#define TYPE BIT(MODE_PANE + PANE_TYPE)
#define GUIDE BIT(MODE_GUIDE)
#define OUTSIDE_GUIDE (STEPS | TRANSCRIPT | ADVICE | TIMINGS | TYPE)
#define PANES (OUTSIDE_GUIDE | GUIDE)
#define TEXT BIT(MODE_TEXT)
#define LIST BIT(MODE_LIST)
#define START BIT(MODE_START)

/*
 * In a text field everything that edits belongs to lineedit.c, so no control key that is one of its
 * own is bound in MODE_TEXT. F1, F10 and F11 may be taken by the terminal, Ctrl-S by its flow
 * control: each has a twin.
 */
const struct key_binding key_bindings[] = {
    {PANES | START, '?', ACTION_HELP},
    {PANES | START | TEXT, UKEY_F1, ACTION_HELP},
    {PANES | START, ':', ACTION_MENU},
    {PANES | START | TEXT, UKEY_F9, ACTION_MENU},
    {PANES | START, 'T', ACTION_TARGET},
    {PANES | START | TEXT, UKEY_F2, ACTION_TARGET},
    {PANES, '/', ACTION_FIND},
    {PANES | TEXT, UKEY_F3, ACTION_FIND},
    {PANES, 'n', ACTION_FIND_NEXT},
    {PANES, 'N', ACTION_FIND_PREV},
    {PANES, 'f', ACTION_FILTER},
    {PANES | TEXT, UKEY_F4, ACTION_FILTER},
    {PANES | START, 'r', ACTION_RUN_REST},
    {PANES | START | TEXT, UKEY_F5, ACTION_RUN_REST},
    {PANES, 'x', ACTION_RUN_STEP},
    {PANES, 'R', ACTION_RUN_NEW},
    {PANES, 'p', ACTION_PAUSE},
    {PANES | START | LIST | TEXT, UKEY_F8, ACTION_STOP},
    {PANES | START | LIST, KEY_CTRL('c'), ACTION_STOP},
    {PANES | START, 'i', ACTION_TYPE},
    {PANES | START | TEXT, UKEY_F6, ACTION_TYPE},
    {TYPE, UKEY_ENTER, ACTION_TYPE},
    {PANES, 'C', ACTION_RECONNECT},
    {PANES, 'O', ACTION_CONNECT_ONLY},
    {PANES, 'E', ACTION_COMPOSE},
    {PANES, 'P', ACTION_REPLAY},
    {PANES, 'H', ACTION_MACROS},
    {PANES, 's', ACTION_SAVE},
    {PANES | TEXT, UKEY_F7, ACTION_SAVE},
    {PANES, KEY_CTRL('s'), ACTION_SAVE},
    {OUTSIDE_GUIDE | START, 'q', ACTION_QUIT},
    {PANES | START | LIST | TEXT, UKEY_F10, ACTION_QUIT},
    {PANES, 'Q', ACTION_QUIT_REPORT},
    {OUTSIDE_GUIDE | START | LIST, UKEY_ESC, ACTION_CANCEL},
    {LIST, KEY_CTRL('g'), ACTION_CANCEL},
    /* The one way out of a list for a terminal without Esc and function keys. */
    {LIST, UKEY_TAB, ACTION_CANCEL},
    {PANES | START, UKEY_TAB, ACTION_NEXT_PANE},
    {PANES | START, UKEY_BACKTAB, ACTION_PREV_PANE},
    {PANES, '1', ACTION_PANE_STEPS},
    {PANES, '2', ACTION_PANE_TRANSCRIPT},
    {PANES, '3', ACTION_PANE_ADVICE},
    {PANES, '4', ACTION_PANE_TIMINGS},
    {PANES, '5', ACTION_PANE_TYPE},
    {PANES, 'z', ACTION_ZOOM},
    {PANES | TEXT, UKEY_F11, ACTION_ZOOM},
    {PANES, 'D', ACTION_TOGGLE_ADVICE},
    {PANES, 'W', ACTION_TOGGLE_TIMINGS},
    {PANES, '+', ACTION_WIDER},
    {PANES, '_', ACTION_NARROWER},
    {PANES | START, 'M', ACTION_MOUSE},
    {PANES | START | LIST | TEXT, KEY_CTRL('l'), ACTION_REDRAW},
    {PANES | START | LIST | TEXT, KEY_CTRL('z'), ACTION_SUSPEND},
    {PANES, '}', ACTION_NEXT_PROBLEM},
    {PANES, '{', ACTION_PREV_PROBLEM},
    {PANES, 'L', ACTION_LESSON},
    {PANES, 'u', ACTION_LINKS},
    {PANES | START, 'j', ACTION_DOWN},
    {PANES | START | LIST, UKEY_DOWN, ACTION_DOWN},
    {PANES | START | LIST, KEY_CTRL('n'), ACTION_DOWN},
    {PANES | START, 'k', ACTION_UP},
    {PANES | START | LIST, UKEY_UP, ACTION_UP},
    {PANES | START | LIST, KEY_CTRL('p'), ACTION_UP},
    {PANES, 'g', ACTION_FIRST},
    {PANES | LIST, UKEY_HOME, ACTION_FIRST},
    {PANES, 'G', ACTION_LAST},
    {PANES | LIST, UKEY_END, ACTION_LAST},
    {PANES, KEY_CTRL('f'), ACTION_PAGE_DOWN},
    {PANES | LIST | TEXT, UKEY_PAGE_DOWN, ACTION_PAGE_DOWN},
    {PANES, KEY_CTRL('b'), ACTION_PAGE_UP},
    {PANES | LIST | TEXT, UKEY_PAGE_UP, ACTION_PAGE_UP},
    {PANES, KEY_CTRL('d'), ACTION_HALF_DOWN},
    {PANES, KEY_CTRL('u'), ACTION_HALF_UP},
    {STEPS | TRANSCRIPT | ADVICE | GUIDE | LIST | START, UKEY_ENTER, ACTION_OPEN},
    {TRANSCRIPT, ' ', ACTION_FOLD},
    {TRANSCRIPT, '-', ACTION_FOLD_ALL},
    {TRANSCRIPT, '=', ACTION_UNFOLD_ALL},
    {TRANSCRIPT, 'F', ACTION_FOLLOW},
    {TRANSCRIPT, 'w', ACTION_WRAP},
    {TRANSCRIPT, 't', ACTION_TIME},
    {TRANSCRIPT, 'b', ACTION_BASE64},
    {TRANSCRIPT, 'h', ACTION_LEFT},
    {TRANSCRIPT, UKEY_LEFT, ACTION_LEFT},
    {TRANSCRIPT, 'l', ACTION_RIGHT},
    {TRANSCRIPT, UKEY_RIGHT, ACTION_RIGHT},
    {TRANSCRIPT, '0', ACTION_LINE_START},
    {TRANSCRIPT, '$', ACTION_LINE_END},
    {TRANSCRIPT, ']', ACTION_NEXT_STEP},
    {TRANSCRIPT, '[', ACTION_PREV_STEP},
    {STEPS | ADVICE | GUIDE, 'c', ACTION_COPY_COMMAND},
    {ADVICE, 'o', ACTION_LONG},
    {PANES | START, 'B', ACTION_GUIDE},
    {GUIDE, 'b', ACTION_GUIDE_BACK},
    {GUIDE, 'o', ACTION_GUIDE_SKIP},
    {GUIDE, 'w', ACTION_GUIDE_WHY},
    {GUIDE, 'e', ACTION_GUIDE_SAVE},
    {GUIDE, 'q', ACTION_GUIDE_LEAVE},
    {GUIDE, UKEY_ESC, ACTION_GUIDE_LEAVE},
};
const size_t key_binding_count = ARRAY_LEN(key_bindings);

/* clang-format off */
static const struct {
    const char *name, *title;
} actions[ACTION_COUNT] = {
    [ACTION_NONE] = {"none", ""},
#define X(id, name, title) [id] = {name, title},
    ACTION_LIST(X)
#undef X
};
/* clang-format on */

const char *action_name(enum action a)
{
    return a < ACTION_COUNT ? actions[a].name : "";
}

const char *action_title(enum action a)
{
    /* gettext answers "" with the header of the catalogue. */
    return a < ACTION_COUNT && a != ACTION_NONE ? _(actions[a].title) : "";
}

enum action keys_find(enum key_mode mode, uint32_t key)
{
    for (size_t i = 0; i < key_binding_count; i++) {
        if (key_bindings[i].key == key && (key_bindings[i].modes & BIT(mode)) != 0) {
            return key_bindings[i].action;
        }
    }
    return ACTION_NONE;
}

static const struct {
    uint32_t key;
    const char *name;
} named_keys[] = {
    {UKEY_TAB, N_("Tab")},        {UKEY_ENTER, N_("Enter")},
    {UKEY_ESC, N_("Esc")},        {UKEY_BACKSPACE, N_("Backspace")},
    {' ', N_("Space")},           {UKEY_UP, N_("Up")},
    {UKEY_DOWN, N_("Down")},      {UKEY_LEFT, N_("Left")},
    {UKEY_RIGHT, N_("Right")},    {UKEY_HOME, N_("Home")},
    {UKEY_END, N_("End")},        {UKEY_PAGE_UP, N_("PgUp")},
    {UKEY_PAGE_DOWN, N_("PgDn")}, {UKEY_INSERT, N_("Ins")},
    {UKEY_DELETE, N_("Del")},     {UKEY_BACKTAB, N_("Shift-Tab")},
};

size_t key_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

void key_text(uint32_t key, char *out, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(named_keys); i++) {
        if (named_keys[i].key == key) {
            str_copy(out, size, _(named_keys[i].name));
            return;
        }
    }
    if (key >= UKEY_F1 && key <= UKEY_F12) {
        (void)snprintf(out, size, "F%u", (unsigned)(key - UKEY_F1 + 1));
    } else if (key > 0 && key < 0x20) {
        (void)snprintf(out, size, "Ctrl-%c", (char)(key + 0x40));
    } else if (key > 0x20 && key <= 0x10ffff) {
        char text[4];
        struct escape_cell cell;
        escape_next(text, key_utf8(key, text), 0, &cell);
        str_copy(out, size, cell.text);
    } else {
        str_copy(out, size, "");
    }
}

void keys_text(enum key_mode mode, enum action a, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < key_binding_count; i++) {
        if (key_bindings[i].action != a || (key_bindings[i].modes & BIT(mode)) == 0) {
            continue;
        }
        char name[32];
        key_text(key_bindings[i].key, name, sizeof(name));
        size_t len = strlen(name) + (used > 0);
        if (used + len >= size) {
            return;
        }
        (void)snprintf(out + used, size - used, "%s%s", used > 0 ? " " : "", name);
        used += len;
    }
}

static bool contains_nocase(const char *text, const char *word, size_t len)
{
    size_t text_len = strlen(text);
    for (size_t i = 0; i + len <= text_len; i++) {
        size_t k = 0;
        while (k < len) {
            char a = text[i + k], b = word[k];
            a = (char)(a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a);
            b = (char)(b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b);
            if (a != b) {
                break;
            }
            k++;
        }
        if (k == len) {
            return true;
        }
    }
    return false;
}

/* Every word must be somewhere, in any order. */
static bool action_matches(enum key_mode mode, enum action a, const char *filter)
{
    char keys[128];
    keys_text(mode, a, keys, sizeof(keys));
    while (*filter != '\0') {
        size_t len = strcspn(filter, " ");
        if (len > 0 && !contains_nocase(action_title(a), filter, len) &&
            !contains_nocase(action_name(a), filter, len) && !contains_nocase(keys, filter, len)) {
            return false;
        }
        filter += len;
        filter += strspn(filter, " ");
    }
    return true;
}

static bool action_live(enum key_mode mode, enum action a)
{
    for (size_t i = 0; i < key_binding_count; i++) {
        if (key_bindings[i].action == a && (key_bindings[i].modes & BIT(mode)) != 0) {
            return true;
        }
    }
    return false;
}

size_t keys_help(enum key_mode mode, const char *filter, enum action *out, size_t max)
{
    size_t count = 0;
    for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT && count < max; a++) {
        if (action_live(mode, a) && action_matches(mode, a, filter != NULL ? filter : "")) {
            out[count++] = a;
        }
    }
    return count;
}
