"""HTTP: the public pages, the client's link, the JSON API. The only room that knows Flask."""
