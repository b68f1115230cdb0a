#include "terminal.h"

#include <curses.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "escape.h"
#include "terminfo.h"
#include "text.h"

#define PASTE_MAX (256 * 1024)
#define PASTE_PAUSE_MS 1000
#define PASTE_AFTER_MS 20 /* what comes that soon behind a paste was not typed */
#define ESC_DELAY_MS 25
#define DOUBLE_CLICK_US (400 * US_PER_MS)
#define CODE_PASTE_BEGIN (KEY_MAX + 1)
#define CODE_PASTE_END (KEY_MAX + 2)

/* Signal handlers take no context, so what they need lies here: the one exception to "no globals". */
static struct {
    struct wake wake;
    volatile sig_atomic_t resize, stop, cont, end;
    volatile sig_atomic_t raised; /* the terminal is changed and has to be restored */
    struct termios saved;
    char restore[256];
    size_t restore_len;
} shared;

static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";
static const char mouse_off[] = "\033[?1006l\033[?1000l";

/* Only async-signal-safe calls from here on: write, tcsetattr, signal, raise. */
static void restore_now(void)
{
    if (shared.raised) {
        shared.raised = 0;
        ssize_t n = write(STDOUT_FILENO, shared.restore, shared.restore_len);
        (void)n;
        tcsetattr(STDIN_FILENO, TCSANOW, &shared.saved);
    }
}

static void on_fatal(int number)
{
    static const char line[] = "\nsmtpscope: internal error; the terminal is restored.\n";
    restore_now();
    ssize_t n = write(STDERR_FILENO, line, sizeof(line) - 1);
    (void)n;
    signal(number, SIG_DFL);
    raise(number);
}

static void on_signal(int number)
{
    int saved_errno = errno;
    switch (number) {
    case SIGWINCH:
        shared.resize = 1;
        break;
    case SIGTSTP:
        shared.stop = 1;
        break;
    case SIGCONT:
        shared.cont = 1;
        break;
    default:
        shared.end = number;
        break;
    }
    wake_call(&shared.wake);
    errno = saved_errno;
}

static void catch_signal(int number, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    action.sa_flags = handler == on_fatal ? (int)(SA_NODEFER | SA_RESETHAND) : SA_RESTART;
    sigaction(number, &action, NULL);
}

/* Before curses starts, so that it leaves SIGWINCH and SIGTSTP to us: one path for all signals. */
static void catch_signals(void)
{
    static const int loop[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < ARRAY_LEN(loop); i++) {
        catch_signal(loop[i], on_signal);
    }
    for (size_t i = 0; i < ARRAY_LEN(fatal); i++) {
        catch_signal(fatal[i], on_fatal);
    }
    signal(SIGPIPE, SIG_IGN);
}

/* Appends a terminfo string without its padding ($<5>), which is for printers of the seventies. */
static void restore_add(const char *text)
{
    if (text == NULL || text == (const char *)-1) {
        return;
    }
    while (*text != '\0' && shared.restore_len < sizeof(shared.restore)) {
        if (text[0] == '$' && text[1] == '<') {
            const char *end = strchr(text, '>');
            text = end != NULL ? end + 1 : text + strlen(text);
            continue;
        }
        shared.restore[shared.restore_len++] = *text++;
    }
}

static void prepare_restore(bool paste)
{
    shared.restore_len = 0;
    if (paste) {
        restore_add(paste_off);
    }
    if (tigetstr("kmous") != NULL && tigetstr("kmous") != (char *)-1) {
        restore_add(mouse_off);
    }
    restore_add(tigetstr("sgr0"));
    restore_add(tigetstr("rmkx"));
    restore_add(tigetstr("cnorm"));
    restore_add(tigetstr("rmcup"));
}

/* Curses has a buffer of its own: what stays in that of stdout comes at the end of the program. */
static void paste_mode(const struct terminal *t, const char *mode)
{
    if (t->paste) {
        putp(mode);
        fflush(stdout);
    }
}

/* Terminals that mark pasted text. The terminfo extension BE says so where it is known. */
static bool knows_paste(const char *term)
{
    static const char *const families[] = {"xterm", "tmux",  "screen", "rxvt",  "alacritty", "foot",
                                           "kitty", "st-",   "vte",    "gnome", "konsole",   "iterm"};
    const char *be = tigetstr("BE");
    if (be != NULL && be != (char *)-1) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (strncmp(term, families[i], strlen(families[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool wants_color(const struct console_options *options)
{
    const char *no_color = getenv("NO_COLOR");
    if (options->color == COLOR_ALWAYS) {
        return true;
    }
    return options->color == COLOR_AUTO && (no_color == NULL || no_color[0] == '\0');
}

/* Colour only on the bracketed marks; everything else keeps the terminal's own colours. */
static void prepare_looks(struct terminal *t)
{
    static const struct {
        enum role role;
        int attr;
        short color;
    } looks[] = {
        {ROLE_DIM, A_DIM, -1},
        {ROLE_BOLD, A_BOLD, -1},
        {ROLE_TITLE_FOCUS, A_BOLD, -1},
        {ROLE_HEADER, A_REVERSE, -1},
        {ROLE_KEYBAR, A_REVERSE, -1},
        {ROLE_CURSOR_ROW, A_REVERSE | A_BOLD, -1},
        {ROLE_CURSOR_ROW_DIM, A_BOLD, -1},
        {ROLE_MARK_RUN, A_BOLD, COLOR_CYAN},
        {ROLE_MARK_OK, A_NORMAL, COLOR_GREEN},
        {ROLE_MARK_WARN, A_BOLD, COLOR_YELLOW},
        {ROLE_MARK_FAIL, A_REVERSE, COLOR_RED},
        {ROLE_MARK_SKIP, A_DIM, -1},
        {ROLE_MARK_ASK, A_BOLD, COLOR_MAGENTA},
        {ROLE_MARK_TODO, A_DIM, -1},
        {ROLE_PROBLEM, A_BOLD, -1},
        {ROLE_ESCAPED, A_UNDERLINE, -1},
        {ROLE_HIT, A_REVERSE, -1},
        {ROLE_FIELD, A_UNDERLINE, -1},
        {ROLE_FIELD_FOCUS, A_REVERSE, -1},
        {ROLE_BUTTON_FOCUS, A_REVERSE, -1},
        {ROLE_ERROR, A_BOLD, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        t->attrs[looks[i].role] = looks[i].attr;
        if (t->color && looks[i].color >= 0) {
            short pair = (short)(looks[i].color + 1);
            init_pair(pair, looks[i].color, -1);
            t->attrs[looks[i].role] |= (int)COLOR_PAIR(pair);
        }
    }
}

static enum status check_terminal(struct error *error)
{
    const char *term = getenv("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return error_set(error, ST_DENIED, 0, "%s",
                         _("Standard input and output have to be a terminal; --check works without one."));
    }
    if (term == NULL || term[0] == '\0') {
        return error_set(error, ST_DENIED, 0, "%s",
                         _("TERM is not set, so the terminal's kind is unknown. Set it (export TERM=xterm), or use --plain."));
    }
    if (!terminfo_load(STDOUT_FILENO)) {
        char name[80];
        escape_copy(name, sizeof(name), term, strlen(term), ESCAPE_ASCII);
        return error_set(error, ST_DENIED, 0,
                         _("TERM=%s is not known on this machine. Set another one (export TERM=xterm), or use --plain."),
                         name);
    }
    const char *move = tigetstr("cup");
    if (move == NULL || move == (char *)-1) {
        return error_set(error, ST_DENIED, 0, "%s",
                         _("This terminal (TERM) cannot move its cursor. Use --plain."));
    }
    return ST_OK;
}

enum status terminal_open(struct terminal *t, const struct console_options *options,
                          struct error *error)
{
    memset(t, 0, sizeof(*t));
    enum status status = check_terminal(error);
    if (status != ST_OK) {
        return status;
    }
    status = wake_init(&shared.wake);
    if (status != ST_OK) {
        return error_set(error, status, errno, "%s", _("No descriptor for the signals could be had."));
    }
    if (tcgetattr(STDIN_FILENO, &shared.saved) != 0) {
        wake_fini(&shared.wake);
        return error_set(error, ST_IO, errno, "%s", _("The terminal's settings could not be read."));
    }
    t->paste = knows_paste(getenv("TERM"));
    prepare_restore(t->paste);
    catch_signals();
    /* A terminal that cannot be driven in spite of its entry ends here as an error, not as an exit. */
    terminfo_forget();
    t->curses = newterm(NULL, stdout, stdin);
    if (t->curses == NULL) {
        wake_fini(&shared.wake);
        return error_set(error, ST_DENIED, 0, "%s", _("The terminal could not be set up. Use --plain."));
    }
    shared.raised = 1;
    t->open = true;
    raw();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    if (getenv("ESCDELAY") == NULL) {
        set_escdelay(ESC_DELAY_MS);
    }
    define_key("\033[200~", CODE_PASTE_BEGIN);
    define_key("\033[201~", CODE_PASTE_END);
    if (wants_color(options) && has_colors() && start_color() == OK && use_default_colors() == OK) {
        t->color = true;
    }
    terminfo_keep_palette();
    prepare_looks(t);
    paste_mode(t, paste_on);
    t->ascii = options->app.ascii;
    status = canvas_init(&t->shown, 1, 1, t->ascii);
    return status == ST_OK ? ST_OK
                           : error_set(error, status, 0, "%s", _("Not enough memory."));
}

void terminal_close(struct terminal *t)
{
    if (!t->open) {
        return;
    }
    t->open = false;
    terminal_mouse(t, false);
    paste_mode(t, paste_off);
    endwin();
    fflush(stdout);
    shared.raised = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &shared.saved);
    delscreen(t->curses);
    t->curses = NULL;
    canvas_free(&t->shown);
}

int64_t terminal_suspend(struct terminal *t)
{
    paste_mode(t, paste_off);
    bool mouse = t->mouse;
    terminal_mouse(t, false);
    endwin();
    fflush(stdout);
    shared.raised = 0;
    int64_t before = clock_monotonic_us();
    signal(SIGTSTP, SIG_DFL);
    raise(SIGTSTP);
    catch_signal(SIGTSTP, on_signal);
    int64_t stood = clock_monotonic_us() - before;
    shared.stop = 0;
    shared.raised = 1;
    paste_mode(t, paste_on);
    terminal_mouse(t, mouse);
    terminal_repaint(t);
    return stood;
}

void terminal_size(struct terminal *t, int *w, int *h)
{
    struct winsize size;
    (void)t;
    memset(&size, 0, sizeof(size));
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        *w = COLS > 0 ? COLS : 80;
        *h = LINES > 0 ? LINES : 24;
        return;
    }
    *w = size.ws_col < CANVAS_MAX_WIDTH ? size.ws_col : CANVAS_MAX_WIDTH;
    *h = size.ws_row < CANVAS_MAX_HEIGHT ? size.ws_row : CANVAS_MAX_HEIGHT;
    if (*w != COLS || *h != LINES) {
        resizeterm(*h, *w);
        terminal_repaint(t);
    }
}

void terminal_repaint(struct terminal *t)
{
    clearok(stdscr, TRUE);
    canvas_clear(&t->shown);
    /* No cell compares equal to this, so every row is written again. */
    for (int i = 0; i < t->shown.w * t->shown.h; i++) {
        t->shown.cells[i].role = ROLE_COUNT;
    }
}

static void paint_cell(const struct terminal *t, int x, int y, const struct cell *cell)
{
    wchar_t wide[CCHARW_MAX + 1];
    size_t n = 0;
    size_t len = strlen(cell->text);
    for (size_t i = 0; i < len && n < CCHARW_MAX;) {
        uint32_t code = 0;
        size_t used = utf8_decode(cell->text + i, len - i, &code);
        if (used == 0) {
            break;
        }
        wide[n++] = (wchar_t)code;
        i += used;
    }
    if (n == 0) {
        wide[n++] = L' ';
    }
    wide[n] = L'\0';
    cchar_t cc;
    int attr = t->attrs[cell->role];
    setcchar(&cc, wide, (attr_t)attr & ~(attr_t)A_COLOR, (short)PAIR_NUMBER(attr), NULL);
    /* Writing the last cell of the screen reports ERR although it is drawn. */
    (void)mvadd_wch(y, x, &cc);
}

void terminal_paint(struct terminal *t, const struct canvas *c)
{
    if (t->shown.w != c->w || t->shown.h != c->h) {
        if (canvas_resize(&t->shown, c->w, c->h) != ST_OK) {
            return;
        }
        terminal_repaint(t);
    }
    for (int y = 0; y < c->h; y++) {
        const struct cell *row = c->cells + (size_t)y * (size_t)c->w;
        struct cell *old = t->shown.cells + (size_t)y * (size_t)c->w;
        if (memcmp(row, old, (size_t)c->w * sizeof(*row)) == 0) {
            continue;
        }
        for (int x = 0; x < c->w; x++) {
            if (row[x].columns > 0) {
                paint_cell(t, x, y, &row[x]);
            }
        }
        memcpy(old, row, (size_t)c->w * sizeof(*row));
    }
    bool cursor = c->cursor_x >= 0 && c->cursor_x < c->w && c->cursor_y >= 0 && c->cursor_y < c->h;
    (void)curs_set(cursor ? 1 : 0);
    if (cursor) {
        move(c->cursor_y, c->cursor_x);
    }
    refresh();
}

void terminal_mouse(struct terminal *t, bool on)
{
    if (on == t->mouse) {
        return;
    }
    t->mouse = on;
    mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
    mouseinterval(0);
}

static uint32_t translate_code(wint_t code)
{
    static const struct {
        int code;
        uint32_t key;
    } table[] = {
        {KEY_UP, UKEY_UP},         {KEY_DOWN, UKEY_DOWN},       {KEY_LEFT, UKEY_LEFT},
        {KEY_RIGHT, UKEY_RIGHT},   {KEY_HOME, UKEY_HOME},       {KEY_END, UKEY_END},
        {KEY_LL, UKEY_END},        {KEY_PPAGE, UKEY_PAGE_UP},   {KEY_NPAGE, UKEY_PAGE_DOWN},
        {KEY_IC, UKEY_INSERT},     {KEY_DC, UKEY_DELETE},       {KEY_BTAB, UKEY_BACKTAB},
        {KEY_ENTER, UKEY_ENTER},   {KEY_BACKSPACE, UKEY_BACKSPACE}, {KEY_FIND, UKEY_HOME},
        {KEY_SELECT, UKEY_END},    {CODE_PASTE_BEGIN, UKEY_PASTE_BEGIN}, {CODE_PASTE_END, UKEY_PASTE_END},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if ((wint_t)table[i].code == code) {
            return table[i].key;
        }
    }
    if (code >= (wint_t)KEY_F(1) && code <= (wint_t)KEY_F(12)) {
        return UKEY_F1 + (code - (wint_t)KEY_F(1));
    }
    return UKEY_INSERT; /* a key that means nothing here */
}

uint32_t terminal_key(struct terminal *t)
{
    wint_t code = 0;
    if (t->ahead_at < t->ahead_count) {
        return t->ahead[t->ahead_at++];
    }
    int kind = get_wch(&code);
    if (kind == ERR) {
        return UKEY_NONE;
    }
    if (kind == KEY_CODE_YES) {
        return code == KEY_MOUSE ? UKEY_MOUSE : translate_code(code);
    }
    return code == 0x08 ? UKEY_BACKSPACE : code;
}

bool terminal_mouse_event(struct terminal *t, struct mouse_event *out)
{
    MEVENT event;
    if (getmouse(&event) != OK) {
        return false;
    }
    out->x = event.x;
    out->y = event.y;
    if (event.bstate & (BUTTON4_PRESSED | BUTTON5_PRESSED)) {
        out->kind = event.bstate & BUTTON4_PRESSED ? MOUSE_WHEEL_UP : MOUSE_WHEEL_DOWN;
        return true;
    }
    /* Curses would hold every click back to see whether a second one comes. */
    int64_t now = clock_monotonic_us();
    bool again = now - t->click_us < DOUBLE_CLICK_US && event.x == t->click_x && event.y == t->click_y;
    out->kind = again ? MOUSE_DOUBLE : MOUSE_CLICK;
    t->click_us = again ? 0 : now;
    t->click_x = event.x;
    t->click_y = event.y;
    return true;
}

/* A key as the text that was pasted; those that are none add nothing. */
static enum status add_pasted(struct buf *out, uint32_t key)
{
    char text[4] = {'\n'};
    size_t n = 1;
    if (key == UKEY_TAB || (key >= 0x20 && key <= 0x10ffff && key != 0x7f)) {
        n = key_utf8(key, text);
    } else if (key != UKEY_ENTER && key != KEY_CTRL('j')) {
        return ST_OK;
    }
    return out->len + n > PASTE_MAX ? ST_LIMIT : buf_add(out, text, n);
}

/* Up to the mark of its end, or until nothing comes any more. */
static enum status read_pasted(struct terminal *t, struct buf *out)
{
    enum status status = ST_OK;
    for (;;) {
        uint32_t key = terminal_key(t);
        if (key == UKEY_PASTE_END || key == UKEY_NONE) {
            return status;
        }
        enum status added = add_pasted(out, key);
        status = status == ST_OK ? added : status;
    }
}

/*
 * Pasted text may hold the mark of its end, so that what follows would be taken for keys. Where
 * another mark comes at once, all before it was pasted; else these are keys that wait for their
 * turn.
 */
static bool goes_on(struct terminal *t, struct buf *out)
{
    uint32_t key = UKEY_NONE;
    t->ahead_at = t->ahead_count = 0;
    size_t count = 0;
    while (count < PASTE_AHEAD && (key = terminal_key(t)) != UKEY_NONE && key != UKEY_PASTE_END &&
           key != UKEY_PASTE_BEGIN) {
        t->ahead[count++] = key;
    }
    if (key == UKEY_NONE) {
        t->ahead_count = count;
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        (void)!add_pasted(out, t->ahead[i]);
    }
    return true;
}

enum status terminal_paste(struct terminal *t, struct buf *out)
{
    enum status status = ST_OK;
    bool more = true;
    while (more) {
        /* Over a slow line the pieces come late, and what is left over would be taken for keys. */
        timeout(PASTE_PAUSE_MS);
        enum status read = read_pasted(t, out);
        status = status == ST_OK ? read : status;
        timeout(PASTE_AFTER_MS);
        more = goes_on(t, out);
    }
    nodelay(stdscr, TRUE);
    return status;
}

int terminal_signal_fd(void)
{
    return shared.wake.rd;
}

unsigned terminal_signals(void)
{
    unsigned seen = 0;
    wake_drain(&shared.wake);
    if (shared.resize) {
        shared.resize = 0;
        seen |= SIGNALLED_RESIZE;
    }
    if (shared.stop) {
        shared.stop = 0;
        seen |= SIGNALLED_STOP;
    }
    if (shared.cont) {
        shared.cont = 0;
        seen |= SIGNALLED_CONTINUE;
    }
    if (shared.end) {
        seen |= SIGNALLED_END;
    }
    return seen;
}

int terminal_end_signal(void)
{
    return shared.end;
}
