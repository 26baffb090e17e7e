"""A quiz generator as such applications are: routes, services, data access, and a cache between them."""
