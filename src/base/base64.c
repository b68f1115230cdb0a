#include "base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

/* A multiple of 3, so that only the last piece is padded. */
#define PIECE_RAW 192
#define PIECE_TEXT (PIECE_RAW / 3 * 4)

enum status base64_encode(struct buf *out, const void *p, size_t len)
{
    const unsigned char *src = p;
    unsigned char text[PIECE_TEXT + 1];
    size_t before = out->len;
    enum status st = ST_OK;
    while (len > 0 && st == ST_OK) {
        size_t n = len < PIECE_RAW ? len : PIECE_RAW;
        int put = EVP_EncodeBlock(text, src, (int)n);
        st = buf_add(out, text, (size_t)put);
        src += n;
        len -= n;
    }
    OPENSSL_cleanse(text, sizeof(text));
    if (st != ST_OK && out->p != NULL) {
        out->len = before;
        out->p[before] = '\0';
    }
    return st;
}

/* The library skips white space and forgives more than RFC 4648 section 3.3 and 3.5 do. */
static bool base64_is_strict(const char *p, size_t len, size_t *padding)
{
    if (len % 4 != 0) {
        return false;
    }
    size_t pad = 0;
    while (pad < 2 && pad < len && p[len - 1 - pad] == '=') {
        pad++;
    }
    for (size_t i = 0; i < len - pad; i++) {
        char c = p[i];
        bool ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '/';
        if (!ok) {
            return false;
        }
    }
    *padding = pad;
    return true;
}

enum status base64_decode(struct buf *out, const char *p, size_t len)
{
    size_t padding = 0;
    if (!base64_is_strict(p, len, &padding)) {
        return ST_INVALID;
    }
    unsigned char raw[PIECE_RAW];
    unsigned char again[5];
    size_t before = out->len;
    enum status st = ST_OK;
    while (len > 0 && st == ST_OK) {
        size_t n = len < PIECE_TEXT ? len : PIECE_TEXT;
        int got = EVP_DecodeBlock(raw, (const unsigned char *)p, (int)n);
        if (got < 0) {
            st = ST_INVALID;
            break;
        }
        size_t real = (size_t)got;
        if (n == len && padding > 0) {
            real -= padding;
            /* Bits that are thrown away must be zero, or two texts would mean the same. */
            EVP_EncodeBlock(again, raw + real - real % 3, (int)(real % 3));
            if (memcmp(again, p + n - 4, 4) != 0) {
                st = ST_INVALID;
                break;
            }
        }
        st = buf_add(out, raw, real);
        p += n;
        len -= n;
    }
    OPENSSL_cleanse(raw, sizeof(raw));
    OPENSSL_cleanse(again, sizeof(again));
    if (st != ST_OK && out->p != NULL) {
        out->len = before;
        out->p[before] = '\0';
    }
    return st;
}
