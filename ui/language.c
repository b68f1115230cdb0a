#include "language.h"

#include <ctype.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool ends_in_utf8(const char *name)
{
    size_t len = strlen(name);
    static const char *const endings[] = {".utf-8", ".utf8"};
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        size_t n = strlen(endings[i]);
        if (len >= n && str_equal_nocase(name + len - n, endings[i])) {
            return true;
        }
    }
    return false;
}

/* The first of the variables that counts for the category (POSIX 8.2). */
static const char *locale_name(const char *category)
{
    const char *const names[] = {"LC_ALL", category, "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return value;
        }
    }
    return "C";
}

/* A locale that is named but not installed still says that the terminal speaks UTF-8. */
static void set_locale(void)
{
    if (setlocale(LC_CTYPE, "") == NULL && ends_in_utf8(locale_name("LC_CTYPE"))) {
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    }
    /* No other category is wanted: numbers have a point and times are ISO 8601 everywhere. */
    (void)setlocale(LC_MESSAGES, "");
}

static bool is_plain_locale(const char *name)
{
    return name == NULL || strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0;
}

/* "es_ES.UTF-8:en" to "es"; false when it names no language. */
static bool take_code(const char *name, char *out, size_t size)
{
    size_t n = 0;
    while (isalpha((unsigned char)name[n]) && n + 1 < size) {
        out[n] = (char)tolower((unsigned char)name[n]);
        n++;
    }
    out[n] = '\0';
    return n >= 2 && strcmp(out, "posix") != 0;
}

static void choose_code(struct language *l, const char *wish)
{
    const char *list = getenv("LANGUAGE");
    const char *name = locale_name("LC_MESSAGES");
    if (wish == NULL && list != NULL && list[0] != '\0' && !is_plain_locale(name)) {
        wish = list;
    }
    if (wish == NULL) {
        wish = name;
    }
    if (!take_code(wish, l->code, sizeof(l->code))) {
        str_copy(l->code, sizeof(l->code), "en");
    }
}

static bool set_data_dir(struct language *l, const char *base, const char *below)
{
    char path[LANGUAGE_PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s%s", base, below);
    if (n <= 0 || (size_t)n >= sizeof(path) || !is_directory(path)) {
        return false;
    }
    return str_copy(l->data_dir, sizeof(l->data_dir), path);
}

/* The folder above the one in which the program lies: the same in a build tree and when installed.
 */
static bool program_prefix(char *out, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    if (n <= 0 || (size_t)n >= size - 1) {
        return false;
    }
    out[n] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(out, '/');
        if (slash == NULL) {
            return false;
        }
        *slash = '\0';
    }
    return true;
}

static void bind_texts(const struct language *l, const char *prefix)
{
    char path[LANGUAGE_PATH_MAX];
    const char *dir = SMTPSCOPE_LOCALE_DIR;
    int n = snprintf(path, sizeof(path), "%s/locale", l->data_dir);
    if (n > 0 && (size_t)n < sizeof(path) && l->data_dir[0] != '\0' && is_directory(path)) {
        dir = path;
    } else if (prefix != NULL) {
        n = snprintf(path, sizeof(path), "%s/share/locale", prefix);
        if (n > 0 && (size_t)n < sizeof(path) && is_directory(path)) {
            dir = path;
        }
    }
    (void)bindtextdomain(TEXT_DOMAIN, dir);
    (void)bind_textdomain_codeset(TEXT_DOMAIN, l->ascii ? "ASCII" : "UTF-8");
    (void)textdomain(TEXT_DOMAIN);
}

void language_init(struct language *l, const char *wish)
{
    char prefix[LANGUAGE_PATH_MAX];
    memset(l, 0, sizeof(*l));
    set_locale();
    l->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    choose_code(l, wish);
    if (wish != NULL && wish[0] != '\0') {
        /* The plain locale never translates, whatever LANGUAGE says. */
        (void)setenv("LANGUAGE", wish, 1);
        if (is_plain_locale(setlocale(LC_MESSAGES, NULL))) {
            (void)setlocale(LC_MESSAGES, "C.UTF-8");
        }
    }
    bool have_prefix = program_prefix(prefix, sizeof(prefix));
    const char *named = getenv("SMTPSCOPE_DATA");
    bool found = named != NULL && named[0] != '\0' && set_data_dir(l, named, "");
    l->data_dir_named = found;
    if (!found && have_prefix) {
        found = set_data_dir(l, prefix, "/share/smtpscope");
    }
    if (!found) {
        (void)set_data_dir(l, SMTPSCOPE_DATA_DIR, "");
    }
    bind_texts(l, have_prefix ? prefix : NULL);
}

bool language_known(const struct language *l)
{
    char path[LANGUAGE_PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s/guide/%s.txt", l->data_dir, l->code);
    bool fits = n > 0 && (size_t)n < sizeof(path);
    return strcmp(l->code, "en") == 0 || (fits && stat(path, &st) == 0);
}

void language_english(struct language *l)
{
    (void)setlocale(LC_MESSAGES, "C");
    (void)str_copy(l->code, sizeof(l->code), "en");
}
