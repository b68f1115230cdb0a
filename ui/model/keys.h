/*
 * keys: every action with its name and its keys, in one table. The key handler, the help, the menu
 * and the key bar are all made from it, so they cannot disagree.
 *
 * Threads: const. Ownership: none.
 */
#ifndef SMTPSCOPE_KEYS_H
#define SMTPSCOPE_KEYS_H

#include "layout.h"

/* A key: a Unicode code point, a control code (0x01..0x1a, 0x1b), or one of these. */
enum key {
    UKEY_NONE = 0,
    UKEY_TAB = 0x09,
    UKEY_ENTER = 0x0d,
    UKEY_ESC = 0x1b,
    UKEY_BACKSPACE = 0x7f,
    UKEY_FIRST = 0x200000,
    UKEY_UP = UKEY_FIRST,
    UKEY_DOWN,
    UKEY_LEFT,
    UKEY_RIGHT,
    UKEY_HOME,
    UKEY_END,
    UKEY_PAGE_UP,
    UKEY_PAGE_DOWN,
    UKEY_INSERT,
    UKEY_DELETE,
    UKEY_BACKTAB,
    UKEY_F1,
    UKEY_F2,
    UKEY_F3,
    UKEY_F4,
    UKEY_F5,
    UKEY_F6,
    UKEY_F7,
    UKEY_F8,
    UKEY_F9,
    UKEY_F10,
    UKEY_F11,
    UKEY_F12,
    UKEY_PASTE_BEGIN,
    UKEY_PASTE_END,
    UKEY_MOUSE,
    UKEY_LAST
};
#define KEY_CTRL(c) ((uint32_t)(c)&0x1fu)

/* Where a key is pressed. Pane modes are MODE_PANE + pane. */
enum key_mode {
    MODE_PANE,              /* MODE_PANE + PANE_STEPS ... */
    MODE_TEXT = PANE_COUNT, /* a text field or the SMTP line: what edits is lineedit's, and is not
                               bound here */
    MODE_LIST,              /* menu and help: letters go to the filter */
    MODE_START,             /* start screen, browsing */
    MODE_GUIDE,             /* the guided mode in the place of the advice */
    MODE_COUNT
};

/* X(id, name for help filter and config, title for people) */
#define ACTION_LIST(X)                                                                             \
    X(ACTION_HELP, "help", N_("Help for this pane"))                                               \
    X(ACTION_MENU, "menu", N_("All commands"))                                                     \
    X(ACTION_TARGET, "target", N_("Choose the target"))                                            \
    X(ACTION_FIND, "find", N_("Find in the transcript"))                                           \
    X(ACTION_FIND_NEXT, "find-next", N_("Next hit"))                                               \
    X(ACTION_FIND_PREV, "find-previous", N_("Previous hit"))                                       \
    X(ACTION_FILTER, "filter", N_("Filter the transcript"))                                        \
    X(ACTION_RUN_REST, "run", N_("Run the remaining safe steps"))                                  \
    X(ACTION_RUN_STEP, "step", N_("Run the step under the cursor"))                                \
    X(ACTION_RUN_NEW, "run-new", N_("New run from the start"))                                     \
    X(ACTION_PAUSE, "pause", N_("Pause after this step, or go on"))                                \
    X(ACTION_STOP, "stop", N_("Stop what is running"))                                             \
    X(ACTION_TYPE, "type", N_("Type SMTP on the live connection"))                                 \
    X(ACTION_RECONNECT, "reconnect", N_("Connect again"))                                          \
    X(ACTION_CONNECT_ONLY, "connect-only", N_("Connect only: read no greeting"))                   \
    X(ACTION_COMPOSE, "compose", N_("Write a message by hand"))                                    \
    X(ACTION_REPLAY, "replay", N_("Play a saved conversation"))                                    \
    X(ACTION_MACROS, "macros", N_("What can be asked for with a colon"))                           \
    X(ACTION_SAVE, "save", N_("Save this run to a file"))                                          \
    X(ACTION_QUIT, "quit", N_("Close this box, or leave the program"))                             \
    X(ACTION_QUIT_REPORT, "quit-report", N_("Leave, and print a plain report"))                    \
    X(ACTION_CANCEL, "cancel", N_("Close this box, clear find and filter"))                        \
    X(ACTION_NEXT_PANE, "next-pane", N_("Next pane"))                                              \
    X(ACTION_PREV_PANE, "previous-pane", N_("Previous pane"))                                      \
    X(ACTION_PANE_STEPS, "pane-steps", N_("Go to the steps"))                                      \
    X(ACTION_PANE_TRANSCRIPT, "pane-transcript", N_("Go to the transcript"))                       \
    X(ACTION_PANE_ADVICE, "pane-advice", N_("Go to the advice"))                                   \
    X(ACTION_PANE_TIMINGS, "pane-timings", N_("Go to the timings"))                                \
    X(ACTION_PANE_TYPE, "pane-type", N_("Go to the SMTP line"))                                    \
    X(ACTION_ZOOM, "zoom", N_("Show this pane alone, or all panes"))                               \
    X(ACTION_TOGGLE_ADVICE, "advice", N_("Show or hide the advice"))                               \
    X(ACTION_TOGGLE_TIMINGS, "timings", N_("Show or hide the timings"))                            \
    X(ACTION_WIDER, "wider", N_("Make the left pane wider"))                                       \
    X(ACTION_NARROWER, "narrower", N_("Make the left pane narrower"))                              \
    X(ACTION_MOUSE, "mouse", N_("Mouse on or off"))                                                \
    X(ACTION_REDRAW, "redraw", N_("Repaint the whole screen"))                                     \
    X(ACTION_SUSPEND, "suspend", N_("Suspend the program"))                                        \
    X(ACTION_NEXT_PROBLEM, "next-problem", N_("Next problem"))                                     \
    X(ACTION_PREV_PROBLEM, "previous-problem", N_("Previous problem"))                             \
    X(ACTION_LESSON, "lesson", N_("Lesson: story, hints and your answer"))                         \
    X(ACTION_LINKS, "links", N_("Show the links of this advice"))                                  \
    X(ACTION_DOWN, "down", N_("Down"))                                                             \
    X(ACTION_UP, "up", N_("Up"))                                                                   \
    X(ACTION_FIRST, "first", N_("To the first line"))                                              \
    X(ACTION_LAST, "last", N_("To the last line, and follow"))                                     \
    X(ACTION_PAGE_DOWN, "page-down", N_("Page down"))                                              \
    X(ACTION_PAGE_UP, "page-up", N_("Page up"))                                                    \
    X(ACTION_HALF_DOWN, "half-down", N_("Half a page down"))                                       \
    X(ACTION_HALF_UP, "half-up", N_("Half a page up"))                                             \
    X(ACTION_OPEN, "open", N_("Open or go to"))                                                    \
    X(ACTION_FOLD, "fold", N_("Fold or unfold this step"))                                         \
    X(ACTION_FOLD_ALL, "fold-all", N_("Fold all finished steps"))                                  \
    X(ACTION_UNFOLD_ALL, "unfold-all", N_("Unfold all"))                                           \
    X(ACTION_FOLLOW, "follow", N_("Follow new lines"))                                             \
    X(ACTION_WRAP, "wrap", N_("Wrap long lines, or cut them"))                                     \
    X(ACTION_TIME, "time", N_("Change the time column"))                                           \
    X(ACTION_BASE64, "base64", N_("Show base64 decoded"))                                          \
    X(ACTION_LEFT, "left", N_("Scroll left"))                                                      \
    X(ACTION_RIGHT, "right", N_("Scroll right"))                                                   \
    X(ACTION_LINE_START, "line-start", N_("To the beginning of the line"))                         \
    X(ACTION_LINE_END, "line-end", N_("To the end of the line"))                                   \
    X(ACTION_NEXT_STEP, "next-step", N_("Next step in the transcript"))                            \
    X(ACTION_PREV_STEP, "previous-step", N_("Previous step in the transcript"))                    \
    X(ACTION_COPY_COMMAND, "copy-command", N_("Show the same test as a command"))                  \
    X(ACTION_LONG, "advice-long", N_("Show the whole advice in a box"))                            \
    X(ACTION_GUIDE, "guide", N_("Guide me: from a symptom to its cause"))                          \
    X(ACTION_GUIDE_BACK, "guide-back", N_("Guide: one step back"))                                 \
    X(ACTION_GUIDE_SKIP, "guide-skip", N_("Guide: go on without doing this"))                      \
    X(ACTION_GUIDE_WHY, "guide-why", N_("Guide: what this step is for"))                           \
    X(ACTION_GUIDE_SAVE, "guide-save", N_("Guide: save the last page as a ticket"))                \
    X(ACTION_GUIDE_LEAVE, "guide-leave", N_("Guide: leave it, and keep the place"))

enum action {
    ACTION_NONE,
#define X(id, name, title) id,
    ACTION_LIST(X)
#undef X
        ACTION_COUNT
};

const char *action_name(enum action a);
const char *action_title(enum action a); /* translated */

struct key_binding {
    uint32_t modes; /* bit per key_mode */
    uint32_t key;
    enum action action;
};
extern const struct key_binding key_bindings[];
extern const size_t key_binding_count;

/* ACTION_NONE: not bound there (then text modes take the key as text). */
enum action keys_find(enum key_mode mode, uint32_t key);
/* The keys of an action in a mode, as people read them: "s F7 Ctrl-S"; "" when it has none there.
 */
void keys_text(enum key_mode mode, enum action a, char *out, size_t size);
/* "F7", "Ctrl-S", "Space", "j" */
void key_text(uint32_t key, char *out, size_t size);
/* A code point as UTF-8; the number of bytes. */
size_t key_utf8(uint32_t code_point, char out[4]);
/* Actions live in a mode, in the order of ACTION_LIST. Every word of `filter` must be in the title,
   the name or the keys (ASCII case ignored). */
size_t keys_help(enum key_mode mode, const char *filter, enum action *out, size_t max);

#endif
