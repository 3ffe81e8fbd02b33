cpdef unsigned long long mix64(unsigned long long value) noexcept
cpdef unsigned long long word_draw(unsigned long long seed, unsigned long long about,
                                   unsigned long long index) noexcept
cpdef double unit_draw(unsigned long long seed, unsigned long long about, unsigned long long index) noexcept
