#include "sysfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DNS_PORT 53
/* The longest literal with a zone; anything longer is no address. */
#define TOKEN_MAX 80
#define READ_PIECE 16384
/* RFC 1035 2.3.4: no name is longer. */
#define HOST_NAME_LONGEST 255

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Takes the next line off *rest, without its end. */
static bool next_line(struct span *rest, struct span *line)
{
    if (rest->len == 0) {
        return false;
    }
    const char *end = memchr(rest->p, '\n', rest->len);
    line->p = rest->p;
    line->len = end != NULL ? (size_t)(end - rest->p) : rest->len;
    size_t used = end != NULL ? line->len + 1 : line->len;
    rest->p += used;
    rest->len -= used;
    return true;
}

/* Takes the next word off *line. */
static bool next_word(struct span *line, struct span *word)
{
    while (line->len > 0 && is_blank(line->p[0])) {
        line->p++;
        line->len--;
    }
    word->p = line->p;
    word->len = 0;
    while (line->len > 0 && !is_blank(line->p[0])) {
        line->p++;
        line->len--;
        word->len++;
    }
    return word->len > 0;
}

static bool word_to_address(struct span word, struct net_address *out)
{
    char text[TOKEN_MAX];
    if (word.len >= sizeof(text) || memchr(word.p, '\0', word.len) != NULL) {
        return false;
    }
    memcpy(text, word.p, word.len);
    text[word.len] = '\0';
    return text[0] != '[' && net_address_parse(text, out);
}

size_t sysfiles_resolvers(const char *p, size_t len, struct net_address *out, size_t max)
{
    static const struct net_address this_machine = {
        .family = 4, .bytes = {127, 0, 0, 1}, .port = DNS_PORT};
    struct span rest = {p, len}, line, word;
    size_t count = 0;
    if (max > SYSFILES_RESOLVERS_MAX) {
        max = SYSFILES_RESOLVERS_MAX;
    }
    while (count < max && next_line(&rest, &line)) {
        /* The keyword counts only at the very beginning of a line. */
        if (line.len == 0 || is_blank(line.p[0]) || !next_word(&line, &word) ||
            word.len != strlen("nameserver") || memcmp(word.p, "nameserver", word.len) != 0) {
            continue;
        }
        if (next_word(&line, &word) && word_to_address(word, &out[count])) {
            out[count].port = DNS_PORT;
            count++;
        }
    }
    if (count == 0 && max > 0) {
        out[count++] = this_machine;
    }
    return count;
}

static struct span without_final_dot(struct span s)
{
    if (s.len > 1 && s.p[s.len - 1] == '.') {
        s.len--;
    }
    return s;
}

static bool line_names(struct span line, const char *name)
{
    struct span word;
    while (next_word(&line, &word)) {
        if (span_equal_nocase(without_final_dot(word), name)) {
            return true;
        }
    }
    return false;
}

size_t sysfiles_hosts(const char *p, size_t len, const char *name, struct net_address *out,
                      size_t max)
{
    struct span rest = {p, len}, line, word;
    struct span wanted = without_final_dot(span_of(name));
    char plain[HOST_NAME_LONGEST + 1];
    if (wanted.len >= sizeof(plain)) {
        return 0;
    }
    memcpy(plain, wanted.p, wanted.len);
    plain[wanted.len] = '\0';
    size_t count = 0;
    while (count < max && next_line(&rest, &line)) {
        const char *comment = memchr(line.p, '#', line.len);
        if (comment != NULL) {
            line.len = (size_t)(comment - line.p);
        }
        struct net_address a;
        if (next_word(&line, &word) && line_names(line, plain) && word_to_address(word, &a)) {
            bool known = false;
            for (size_t i = 0; i < count; i++) {
                known = known || net_address_same_host(&out[i], &a);
            }
            if (!known) {
                out[count++] = a;
            }
        }
    }
    return count;
}

void sysfiles_read(struct buf *out, const char *path)
{
    /* Non-blocking, so that a pipe under this name cannot hold us up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return;
    }
    struct stat sb;
    if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        goto out;
    }
    char piece[READ_PIECE];
    bool cut = false;
    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        size_t room = out->len < SYSFILES_READ_MAX ? SYSFILES_READ_MAX - out->len : 0;
        size_t take = (size_t)n < room ? (size_t)n : room;
        if (buf_add(out, piece, take) != ST_OK || take < (size_t)n) {
            cut = true;
            break;
        }
    }
    if (cut) {
        while (out->len > 0 && out->p[out->len - 1] != '\n') {
            out->len--;
        }
    }
out:
    close(fd);
}
