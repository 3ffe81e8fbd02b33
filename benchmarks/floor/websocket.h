/*
 * As much of RFC 6455 as the floor client and its echo server need: the accept key, header fields, frame
 * headers, masking.
 *
 * Rule: no I/O, no allocation but in `struct bytes`, nothing global. Header only, so that the compiler can
 * inline the few calls that stand in the hot path of either program.
 */
#ifndef FLOOR_WEBSOCKET_H
#define FLOOR_WEBSOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { OP_CONTINUATION = 0x0, OP_TEXT = 0x1, OP_BINARY = 0x2, OP_CLOSE = 0x8, OP_PING = 0x9, OP_PONG = 0xA };
enum { FIN = 0x80, MASKED = 0x80, CONTROL = 0x08 };
enum { HEADER_MAX = 14, CONTROL_PAYLOAD_MAX = 125, PAYLOAD_MAX = 65536 };
enum { FRAME_MAX = HEADER_MAX + PAYLOAD_MAX };
enum { HEAD_MAX = 8192, KEY_CHARS = 24, ACCEPT_CHARS = 28 };

/* Bytes that one read or write left over. Empty almost always, so a connection at rest costs no buffer. */
struct bytes {
    uint8_t *data;
    uint32_t len, size;
};

static inline void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
    if (bytes->len + len > bytes->size) {
        size_t size = (bytes->len + len) * 2;
        uint8_t *grown = realloc(bytes->data, size);
        if (!grown) {
            fputs("out of memory\n", stderr);
            exit(1);
        }
        bytes->data = grown;
        bytes->size = (uint32_t)size;
    }
    memcpy(bytes->data + bytes->len, data, len);
    bytes->len += (uint32_t)len;
}

static inline void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

/* Replaces what was left over by `len` bytes from elsewhere; nothing left over gives the memory back. */
static inline void bytes_keep(struct bytes *bytes, const void *data, size_t len)
{
    if (len) {
        bytes->len = 0;
        bytes_add(bytes, data, len);
    } else if (bytes->data) {
        bytes_free(bytes);
    }
}

struct frame {
    uint64_t payload; /* bytes after the header */
    uint8_t header;   /* bytes of the header, masking key included */
    uint8_t opcode;
    uint8_t key[4];
    bool fin, masked;
};

/* Reads a frame header: 1 when whole, 0 when more bytes are needed, -1 where RFC 6455, section 5.2 or 5.5,
 * is violated. */
static inline int frame_read(const uint8_t *at, size_t have, struct frame *frame)
{
    if (have < 2)
        return 0;
    uint8_t code = at[1] & 0x7F;
    size_t extra = code == 126 ? 2 : code == 127 ? 8 : 0;
    frame->fin = at[0] & FIN;
    frame->opcode = at[0] & 0x0F;
    frame->masked = at[1] & MASKED;
    if ((at[0] & 0x70) || (frame->opcode & 0x7) > 2)
        return -1;
    if ((frame->opcode & CONTROL) && (!frame->fin || code > CONTROL_PAYLOAD_MAX))
        return -1;
    frame->header = (uint8_t)(2 + extra + (frame->masked ? 4 : 0));
    if (have < frame->header)
        return 0;
    frame->payload = extra ? 0 : code;
    for (size_t i = 0; i < extra; i++)
        frame->payload = frame->payload << 8 | at[2 + i];
    if (frame->masked)
        memcpy(frame->key, at + 2 + extra, 4);
    return frame->payload >> 63 ? -1 : 1;
}

/* Writes a frame header in its shortest form, masked where a key is given, and returns its length. */
static inline size_t frame_write(uint8_t *to, uint8_t first, uint64_t payload, const uint8_t *key)
{
    uint8_t mask = key ? MASKED : 0;
    size_t extra = payload < 126 ? 0 : payload < 65536 ? 2 : 8;
    to[0] = first;
    to[1] = (uint8_t)(mask | (extra == 0 ? payload : extra == 2 ? 126 : 127));
    for (size_t i = 0; i < extra; i++)
        to[2 + i] = (uint8_t)(payload >> 8 * (extra - 1 - i));
    if (!key)
        return 2 + extra;
    memcpy(to + 2 + extra, key, 4);
    return 2 + extra + 4;
}

/* Masks or unmasks (RFC 6455, section 5.3), eight bytes at a time. `to` may be `from`. */
static inline void mask_copy(uint8_t *to, const uint8_t *from, size_t len, const uint8_t key[4])
{
    uint32_t narrow;
    memcpy(&narrow, key, 4);
    uint64_t wide = (uint64_t)narrow << 32 | narrow;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, from + i, 8);
        word ^= wide;
        memcpy(to + i, &word, 8);
    }
    for (; i < len; i++)
        to[i] = from[i] ^ key[i & 3];
}

/* One block of SHA-1 (FIPS 180-4, section 6.1.2). */
static inline void sha1_block(uint32_t state[5], const uint8_t block[64])
{
    uint32_t w[80];
    for (int t = 0; t < 16; t++) {
        const uint8_t *four = block + 4 * t;
        w[t] = (uint32_t)four[0] << 24 | (uint32_t)four[1] << 16 | (uint32_t)four[2] << 8 | four[3];
    }
    for (int t = 16; t < 80; t++) {
        uint32_t x = w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16];
        w[t] = x << 1 | x >> 31;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int t = 0; t < 80; t++) {
        uint32_t most = (b & c) | (b & d) | (c & d), odd = b ^ c ^ d;
        uint32_t f = t < 20 ? (b & c) | (~b & d) : t < 40 ? odd : t < 60 ? most : odd;
        uint32_t k = t < 20 ? 0x5A827999 : t < 40 ? 0x6ED9EBA1 : t < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
        uint32_t next = (a << 5 | a >> 27) + f + e + k + w[t];
        e = d, d = c, c = b << 30 | b >> 2, b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

static inline void sha1(const uint8_t *data, size_t len, uint8_t digest[20])
{
    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t tail[128] = {0};
    size_t whole = len / 64 * 64, rest = len - whole, padded = rest < 56 ? 64 : 128;
    for (size_t i = 0; i < whole; i += 64)
        sha1_block(state, data + i);
    memcpy(tail, data + whole, rest);
    tail[rest] = 0x80;
    for (size_t i = 0; i < 8; i++)
        tail[padded - 1 - i] = (uint8_t)((uint64_t)len * 8 >> 8 * i);
    for (size_t i = 0; i < padded; i += 64)
        sha1_block(state, tail + i);
    for (int i = 0; i < 20; i++)
        digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

/* Base64 with padding (RFC 4648, section 4), ended by a zero; `to` has room for 4 chars per 3 bytes begun,
 * and 1. */
static inline void base64(const uint8_t *data, size_t len, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)data[i] << 16;
        three |= i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0;
        three |= i + 2 < len ? data[i + 2] : 0;
        *to++ = digits[three >> 18];
        *to++ = digits[three >> 12 & 63];
        *to++ = i + 1 < len ? digits[three >> 6 & 63] : '=';
        *to++ = i + 2 < len ? digits[three & 63] : '=';
    }
    *to = 0;
}

/* The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (RFC 6455, section 4.2.2). */
static inline void accept_for(const char key[KEY_CHARS], char accept[ACCEPT_CHARS + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t joined[KEY_CHARS + sizeof guid - 1], digest[20];
    memcpy(joined, key, KEY_CHARS);
    memcpy(joined + KEY_CHARS, guid, sizeof guid - 1);
    sha1(joined, sizeof joined, digest);
    base64(digest, sizeof digest, accept);
}

/* The length of an HTTP head with its empty line, or 0 while that has not come. */
static inline size_t head_length(const char *text, size_t have)
{
    const char *end = memmem(text, have, "\r\n\r\n", 4);
    return end ? (size_t)(end - text) + 4 : 0;
}

/* Finds a header field (`name` with its colon) in a whole head: its value without blanks around, or NULL. */
static inline const char *head_field(const char *head, size_t len, const char *name, size_t *value_len)
{
    const char *end = head + len;
    size_t name_len = strlen(name);
    for (const char *line = head, *stop; line < end; line = stop + 2) {
        stop = memmem(line, (size_t)(end - line), "\r\n", 2);
        if (!stop)
            break;
        if ((size_t)(stop - line) < name_len || strncasecmp(line, name, name_len))
            continue;
        const char *from = line + name_len, *to = stop;
        while (from < to && (*from == ' ' || *from == '\t'))
            from++;
        while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
            to--;
        *value_len = (size_t)(to - from);
        return from;
    }
    return NULL;
}

#endif
